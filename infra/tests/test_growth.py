from __future__ import annotations

import json

import pytest
from stacks import POOL, run


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_there_is_no_pool_unless_one_is_asked_for(stack: str) -> None:
    found = run(stack)
    assert found.of("InstancePool") == found.of("AutoScalingConfiguration") == found.of("NatGateway") == []


def test_the_pool_grows_and_shrinks_one_agent_at_a_time_within_its_bounds() -> None:
    (policy,) = run("prod", **POOL).one("scaling").inputs["policies"]
    assert (policy["capacity"]["min"], policy["capacity"]["max"]) == (0, 2)
    rules = {rule["action"]["value"]: rule["metric"]["threshold"] for rule in policy["rules"]}
    assert rules == {1: {"operator": "GT", "value": 70}, -1: {"operator": "LT", "value": 20}}


def test_a_preview_never_undoes_what_the_scaling_decided() -> None:
    assert run("prod", **POOL).one("agents").ignored == ("size",)


def test_an_agents_machine_is_as_closed_as_the_vm() -> None:
    details = run("prod", **POOL).one("agent").inputs["instanceDetails"]["launchDetails"]
    assert details["instanceOptions"]["areLegacyImdsEndpointsDisabled"] is True
    assert details["createVnicDetails"]["assignPublicIp"] is False
    assert details["sourceDetails"]["kmsKeyId"] == "id-of-key"
    assert details["metadata"]["user_data"] == run("prod").one("vm").inputs["metadata"]["user_data"]


def test_an_agent_is_told_that_it_is_one_and_there_is_a_key_for_each_name() -> None:
    details = run("prod", **POOL).one("agent").inputs["instanceDetails"]["launchDetails"]
    told = json.loads(details["metadata"]["countersign"])
    assert told["role"] == "agent"
    assert told["device"] == ""
    files = {one["file"] for one in told["secrets"]}
    assert files == {
        "cloud/business",
        "agents/cloud-2/key", "agents/cloud-2/hub-token",
        "agents/cloud-3/key", "agents/cloud-3/hub-token",
    }  # fmt: skip
