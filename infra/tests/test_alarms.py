from __future__ import annotations

import json

import pytest
from stacks import POOL, run

from infra import conventions
from infra.components.alarms import CONDITIONS, OF_AN_AGENT


def test_each_way_to_fail_has_an_alarm_that_says_what_to_do_to_the_contact() -> None:
    found = run("prod")
    assert {one.name for one in found.of("Alarm")} == {f"alarm-{c.name}" for c in CONDITIONS}
    assert {"vm-down", "cpu", "memory", "disk", "silent", "unhealthy"} <= {c.name for c in CONDITIONS}
    for alarm in found.of("Alarm"):
        assert alarm.inputs["destinations"] == ["id-of-topic"]
        assert alarm.inputs["isEnabled"] is True
        assert len(alarm.inputs["body"]) > 40
    assert found.one("mail").inputs["endpoint"] == "ann@office.test"


@pytest.mark.parametrize("name", ["vm-down", "cpu", "memory"])
def test_what_oracle_measures_is_asked_of_this_vm(name: str) -> None:
    query = run("prod").one(f"alarm-{name}").inputs["query"]
    assert '{resourceId = "id-of-vm"}' in query


def test_a_machine_that_is_gone_is_told_by_its_silence_and_not_by_its_own_word() -> None:
    assert run("prod").one("alarm-vm-down").inputs["query"].endswith(".absent()")
    assert run("prod").one("alarm-silent").inputs["query"].endswith(".absent()")


def test_what_the_vm_measures_is_what_the_alarms_ask_for() -> None:
    """Its words for the metrics, as vm/reports.py and vm/cloud.py send them."""
    ours = [c for c in CONDITIONS if c.namespace == "countersign"]
    assert {c.query.partition("[")[0] for c in ours} == {"disk_used_percent", "healthy"}
    for one in ours:
        assert f'{{machine = "{conventions.VM}"}}' in run("prod").one(f"alarm-{one.name}").inputs["query"]


@pytest.mark.parametrize("agent", ["cloud-2", "cloud-3"])
def test_each_further_machine_has_alarms_of_its_own_that_name_it(agent: str) -> None:
    found = run("prod", **POOL)
    assert {"vm-down", "disk", "silent", "unhealthy"} == {one.name for one in OF_AN_AGENT}
    for one in OF_AN_AGENT:
        alarm = found.one(f"alarm-{one.name}-{agent}").inputs
        by_oracle = one.namespace != conventions.METRICS
        named = f'resourceId = "id-of-agent-{agent}"' if by_oracle else f'machine = "{agent}"'
        assert "{" + named + "}" in alarm["query"]
        assert agent in alarm["body"]
        assert agent in alarm["displayName"]
        assert (alarm["severity"], alarm["isEnabled"], alarm["destinations"]) == ("CRITICAL", True, ["id-of-topic"])
    measured = found.one(f"agent-{agent}").inputs["agentConfig"]
    assert measured["pluginsConfigs"] == [{"name": "Compute Instance Monitoring", "desiredState": "ENABLED"}]
    for name in ("vm-down", "silent"):
        assert found.one(f"alarm-{name}-{agent}").inputs["query"].endswith(".absent()")


def test_a_further_agent_changes_no_alarm_of_the_vm_and_one_that_goes_takes_its_own_along() -> None:
    before, after = run("prod").of("Alarm"), run("prod", **POOL).of("Alarm")
    left = {one.name: one for one in after}
    assert {one.name: left[one.name] for one in before} == {one.name: one for one in before}
    assert len(after) == len(before) + 2 * len(OF_AN_AGENT)


def test_what_an_agents_machine_is_told_to_be_called_is_what_its_alarms_watch() -> None:
    """As vm/orders.py reads it and vm/reports.py measures by it."""
    orders = json.loads(run("prod", **POOL).one("agent-cloud-2").inputs["metadata"]["countersign"])
    assert f'machine = "{orders["machine"]}"' in run("prod", **POOL).one("alarm-silent-cloud-2").inputs["query"]
