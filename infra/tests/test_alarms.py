from __future__ import annotations

import pytest
from stacks import run

from infra.components.alarms import CONDITIONS


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
    assert all('{{machine = "vm"}}' in c.query for c in ours)
