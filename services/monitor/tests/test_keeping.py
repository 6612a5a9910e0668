from dataclasses import replace

import pytest
from services.monitor.tests.wishing import SECRET, TEXT, VALUES, WANTED

from monitor.errors import BadSettings, KumaAway
from monitor.items import Kind
from monitor.keeping import Standing, look
from monitor.kuma import MemoryKuma
from monitor.plan import Change, Verb
from monitor.wanted import parse
from monitor.wishes import items

WISHES = items(WANTED, SECRET, str)


class Away(MemoryKuma):
    def carry_out(self, change: Change) -> None:
        raise KumaAway("gone")


def test_it_is_applied_once_and_what_somebody_changes_later_is_shown_and_stays() -> None:
    kuma, standing = MemoryKuma(), Standing()
    assert standing.answer("/healthz")[0] == 503
    look(kuma, WISHES, standing, 100.0)
    assert standing.answer("/healthz")[0] == 200
    assert "countersign_monitor_drift 0\n" in standing.answer("/metrics")[1]
    hub = next(item for item in WISHES if item.name == "hub")
    kuma.carry_out(Change(Verb.CHANGE, replace(hub, facts={**hub.facts, "every": 3600})))
    look(kuma, WISHES, standing, 200.0)
    said = standing.answer("/metrics")[1]
    assert "countersign_monitor_drift 1\n" in said
    assert "countersign_monitor_applied_timestamp_seconds 100\n" in said
    assert "countersign_monitor_looked_timestamp_seconds 200\n" in said
    [now] = [item for item in kuma.found() if (item.kind, item.name) == (Kind.MONITOR, "hub")]
    assert now.facts["every"] == 3600


def test_one_that_could_not_be_applied_is_not_well() -> None:
    standing = Standing()
    with pytest.raises(KumaAway):
        look(Away(), [*WISHES], standing, 1.0)
    assert standing.answer("/healthz") == (503, "not yet applied\n")
    assert standing.answer("/else")[0] == 404


def test_who_is_told_stands_in_a_file_of_the_operators_and_what_does_not_run_here_is_left_out() -> None:
    note = "notifications:\n  - {name: phone, kind: ntfy, topic_file: /run/secrets/topic}\n"
    own = 'monitors:\n  - {name: shop, kind: http, url: "https://shop.example"}\n'
    found = parse(TEXT, VALUES, also=note + own, without=["books", "books-public"])
    assert [one.name for one in found.notifications] == ["phone"]
    names = {one.name for one in found.monitors}
    assert names == {one.name for one in WANTED.monitors} - {"books", "books-public"} | {"shop"}
    assert parse(TEXT, VALUES, also="# nothing\n") == WANTED


@pytest.mark.parametrize(
    ("also", "without", "why"),
    [("", ["bookz"], "no monitor bookz"), ("monitors: 3", [], "monitors.yaml"), ("people: []", [], "people"),
     ("monitors:\n  - {name: hub, kind: http, url: \"http://x\"}", [], "hub stands twice")],
)  # fmt: skip
def test_an_addition_that_is_wrong_is_refused(also: str, without: list[str], why: str) -> None:
    with pytest.raises(BadSettings, match=why):
        parse(TEXT, VALUES, also=also, without=without)
