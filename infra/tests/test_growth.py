from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from stacks import POOL, Run, run

from infra.vm.orders import Orders
from tools.stack.settings import read as read_environment

NAMES = ("cloud-2", "cloud-3")


def grown() -> Run:
    return run("prod", **POOL)


def told(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(grown().one(name).inputs["metadata"]["countersign"])
    return found


def secrets_of(name: str) -> dict[str, str]:
    return {one["file"]: one["id"] for one in told(name)["secrets"]}


def rights_of(name: str) -> str:
    """All that a machine may do by who it is."""
    found = grown()
    group, policy = found.one(f"{name}-principal").inputs, found.one(f"{name}-policy").inputs
    assert f"instance.id = 'id-of-{name}'" in group["matchingRule"]
    return "\n".join(policy["statements"])


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_there_is_no_further_agent_unless_one_is_named(stack: str) -> None:
    found = run(stack)
    assert [one.name for one in found.of("Instance")] == ["vm"]
    assert found.of("NatGateway") == []
    assert "agents" not in found.outputs


def test_each_named_agent_is_a_machine_of_its_own_as_closed_as_the_vm() -> None:
    found = grown()
    assert {one.name for one in found.of("Instance")} == {"vm", "agent-cloud-2", "agent-cloud-3"}
    for name in NAMES:
        made = found.one(f"agent-{name}")
        assert made.inputs["instanceOptions"]["areLegacyImdsEndpointsDisabled"] is True
        assert made.inputs["createVnicDetails"]["assignPublicIp"] == "false"
        assert made.inputs["sourceDetails"]["kmsKeyId"] == "id-of-key"
        assert made.inputs["metadata"]["user_data"] == found.one("vm").inputs["metadata"]["user_data"]
        assert made.ignored == ("sourceDetails.sourceId", "metadata.user_data"), "neither of them is a new agent"


def test_an_agent_is_told_who_it_is_and_where_its_hub_is(tmp_path: Path) -> None:
    orders = Orders.parse(json.dumps(told("agent-cloud-2")))
    assert (orders.role, orders.machine, orders.device, orders.backups) == ("agent", "cloud-2", "", "")
    assert (orders.agents, orders.revoked) == ({}, ())
    file = tmp_path / "stack.env"
    file.write_text("\n".join(f"{k}={v}" for k, v in orders.environment.items()), encoding="utf-8")
    taken = read_environment(file)
    assert (taken.agent, taken.hub) == ("cloud-2", "https://hub.office.office.test")


def test_an_agent_gets_its_own_token_and_what_opens_its_own_mailboxes_and_nothing_of_another() -> None:
    assert {*secrets_of("agent-cloud-2")} == {"cloud/hub-token", "cloud/installation", "cloud/business"}
    assert {*secrets_of("agent-cloud-3")} == {"cloud/hub-token", "cloud/installation", "cloud/shop"}
    assert not {*secrets_of("vm")} & {"cloud/shop"}, "nor does the hub's machine"
    tokens = [secrets_of(name)["cloud/hub-token"] for name in ("vm", "agent-cloud-2", "agent-cloud-3")]
    assert len({*tokens}) == 3
    boxes = {name: {box["name"] for box in tomllib.loads(told(name)["cloud"])["mailboxes"]} for name in MACHINES}
    assert boxes == {"vm": {"business", "private"}, "agent-cloud-2": {"business"}, "agent-cloud-3": {"shop"}}


MACHINES = ("vm", "agent-cloud-2", "agent-cloud-3")


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_may_read_the_secrets_that_it_is_told_of_and_no_other(name: str) -> None:
    rights = rights_of(name)
    every = {id_ for machine in MACHINES for id_ in secrets_of(machine).values()}
    own = {*secrets_of(name).values()}
    assert {id_ for id_ in every if f"target.secret.id = '{id_}'" in rights} == own
    assert rights.count("target.secret.id") == len(own)


def test_nobody_writes_the_report_by_which_another_says_who_it_is() -> None:
    for name in MACHINES:
        own = name.removeprefix("agent-")
        rights = rights_of(name)
        assert f"target.object.name = 'health/{own}.json'" in rights
        assert rights.count("health/") == 1
        assert "OBJECT_DELETE" not in rights
    assert "target.object.name = /logs.cloud-2.*/" in rights_of("agent-cloud-2")
    assert "join-code" not in rights_of("agent-cloud-2")


def test_the_hubs_machine_lets_in_whom_the_owner_let_in_and_puts_out_whom_he_revoked() -> None:
    assert {*told("vm")["agents"]} == {"cloud-2"}, "cloud-3 waits"
    changed = {**POOL, "growth": {"agents": [], "revoked": ["cloud-2"]}}
    changed["mailboxes"] = POOL["mailboxes"][1:2]
    after = json.loads(run("prod", **changed).one("vm").inputs["metadata"]["countersign"])
    assert (after["agents"], after["revoked"]) == ({}, ["cloud-2"])


def test_the_outputs_say_who_each_agent_is_as_far_as_it_was_heard_of() -> None:
    assert grown().outputs["agents"].splitlines() == [
        "cloud-2 HASH KEY",
        "cloud-3 has not said yet who it is; `pulumi up` again in some minutes",
    ]
