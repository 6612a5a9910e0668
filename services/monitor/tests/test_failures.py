import re
from collections import Counter

import pytest
from services.monitor.tests.evaluating import holds
from services.monitor.tests.wishing import WANTED

from monitor import rules
from monitor.failures import Failure, read
from tools.workspace import ROOT

FAILURES = read()
BY_NAME = {one.name: one for one in FAILURES}
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r'^\| <a id="(alert-[a-z-]+)"></a>(.*)$', RUNBOOK, re.MULTILINE))


def test_there_are_thirty_and_none_twice() -> None:
    assert len(FAILURES) >= 30
    assert max(Counter(one.alert for one in FAILURES).values()) == 1


@pytest.mark.parametrize("name", BY_NAME)
def test_each_has_a_row_of_the_runbook_with_a_command(name: str) -> None:
    *_, command = ROWS[BY_NAME[name].anchor].rstrip(" |").split(" | ")
    assert re.search(r"`[^`]+`", command), f"{name}: nothing to do"


def test_the_runbook_has_no_row_for_an_alert_that_is_not() -> None:
    assert ROWS.keys() == {one.anchor for one in FAILURES}


def test_every_monitor_is_a_failure_and_every_failure_of_kuma_a_monitor() -> None:
    assert {one.monitor for one in FAILURES if one.monitor} == {one.name for one in WANTED.monitors}


@pytest.mark.parametrize("name", BY_NAME)
def test_each_is_raised_by_its_samples_and_not_by_its_quiet_ones(name: str) -> None:
    failure = BY_NAME[name]
    assert holds(failure.rule, failure.samples(raised=True))
    assert not holds(failure.rule, failure.samples(raised=False))


def test_what_prometheus_reads_is_made_from_this_file() -> None:
    folder = ROOT / "services" / "monitor" / "prometheus"
    again = "run: python -m monitor.rules services/monitor/prometheus"
    assert (folder / "rules.yaml").read_text(encoding="utf-8") == rules.rules(FAILURES), again
    assert (folder / "rules_test.yaml").read_text(encoding="utf-8") == rules.tests(FAILURES), again


def test_a_failure_with_two_sources_or_none_is_refused() -> None:
    both = {"name": "a", "urgency": "soon", "says": "x", "monitor": "hub", "expr": "up < 1"}
    for wrong in (both, {**both, "monitor": None, "expr": ""}, {**both, "monitor": None}):
        with pytest.raises(ValueError, match="a: "):
            Failure.model_validate(wrong)
