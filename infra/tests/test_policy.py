"""The policy pack both ways: a planted fault is named, and our own stacks have none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
)
from stacks import POOL, Made, run

from infra.policy.pack import free_policy, resource_policy
from infra.policy.rules import RULES, Item, over_free

TAGS = {"project": "countersign", "stack": "prod", "made-by": "pulumi"}
IN = {"direction": "INGRESS", "protocol": "6", "source": "0.0.0.0/0"}


def port(low: int, high: int | None = None) -> dict[str, Any]:
    return {**IN, "tcpOptions": {"destinationPortRange": {"min": low, "max": high or low}}}


PLANTED: list[tuple[str, str, Mapping[str, Any], str]] = [
    ("no-world-open-ports", "NetworkSecurityGroupSecurityRule", port(22), "port 22 (SSH)"),
    ("no-world-open-ports", "NetworkSecurityGroupSecurityRule", port(5432), "port 5432 (PostgreSQL)"),
    ("no-world-open-ports", "NetworkSecurityGroupSecurityRule", port(80, 9000), "port 9000"),
    ("no-world-open-ports", "NetworkSecurityGroupSecurityRule", port(80, 443), "ports 80 to 443"),
    ("no-world-open-ports", "NetworkSecurityGroupSecurityRule", {**IN, "protocol": "all"}, "every port"),
    ("no-world-open-ports", "NetworkSecurityGroupSecurityRule", {**port(22), "source": "::/0"}, "port 22"),
    ("no-world-open-ports", "NetworkSecurityGroupSecurityRule", {**port(22), "source": "0.0.0.0/1"}, "port 22"),
    ("no-world-open-ports", "SecurityList",
     {"ingressSecurityRules": [{**IN, "tcpOptions": {"min": 22, "max": 22}}]}, "port 22"),
    ("encryption", "Volume", {"freeformTags": TAGS}, "kmsKeyId"),
    ("encryption", "Bucket", {"freeformTags": TAGS}, "kmsKeyId"),
    ("encryption", "Instance", {"sourceDetails": {"kmsKeyId": "k"}}, "isPvEncryptionInTransitEnabled"),
    ("encryption", "Instance", {"sourceDetails": {}, "isPvEncryptionInTransitEnabled": True}, "boot volume"),
    ("encryption", "Secret", {}, "keyId"),
    ("tags", "Vcn", {}, "freeformTags lacks made-by, project, stack"),
    ("tags", "Alarm", {"freeformTags": {"project": "countersign"}}, "lacks made-by, stack"),
    ("no-public-bucket", "Bucket", {"accessType": "ObjectRead"}, "accessType is ObjectRead"),
    ("no-public-bucket", "Bucket", {}, "is public"),
    ("no-public-bucket", "PreauthenticatedRequest", {}, "whoever has its address"),
    ("protected-data", "Volume", {}, "not protected"),
    ("protected-data", "Zone", {}, "not protected"),
    ("imds-v2", "Instance", {}, "areLegacyImdsEndpointsDisabled"),
    ("imds-v2", "InstanceConfiguration", {"instanceDetails": {"launchDetails": {}}}, "areLegacyImdsEndpointsDisabled"),
    ("imds-v2", "Instance",
     {"instanceOptions": {"areLegacyImdsEndpointsDisabled": True}, "metadata": {"ssh_authorized_keys": "k"}},
     "stays for ever"),
    ("least-privilege", "Policy", {"statements": ["Allow group x to manage all-resources in tenancy"]}, "everything"),
    ("least-privilege", "Policy", {"statements": ["Allow any-user to read buckets in tenancy"]}, "everything"),
]  # fmt: skip


def judged(
    policy: ResourceValidationPolicy, kind: str, inputs: Mapping[str, Any], *, protect: bool = False
) -> list[str]:
    """What a policy of the pack says to the engine."""
    options = PolicyResourceOptions(protect, [], False, [], PolicyCustomTimeouts(0, 0, 0), [])
    args = ResourceValidationArgs(
        resource_type=f"oci:Core/x:{kind}",
        props=dict(inputs),
        urn="urn",
        name="planted",
        opts=options,
        provider=None,
    )
    said: list[str] = []
    validate = policy.validate
    assert callable(validate)
    validate(args, lambda message, _: said.append(message))
    return said


@pytest.mark.parametrize(("name", "kind", "inputs", "says"), PLANTED)
def test_a_planted_fault_is_named(name: str, kind: str, inputs: Mapping[str, Any], says: str) -> None:
    said = judged(resource_policy(name, *RULES[name]), kind, inputs)
    assert any(says in one for one in said), said


def test_every_rule_has_a_planted_fault() -> None:
    assert {name for name, *_ in PLANTED} == set(RULES)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize(
    ("stack", "changed"), [("dev", {}), ("prod", {}), ("prod", {**POOL, "admin_blocks": ["203.0.113.7/32"]})]
)
def test_our_own_stacks_have_no_fault(name: str, stack: str, changed: dict[str, Any]) -> None:
    policy = resource_policy(name, *RULES[name])
    faults = [
        fault
        for one in resources(stack, changed)
        for fault in judged(policy, one.type.rpartition(":")[2], one.inputs, protect=one.protect)
    ]
    assert faults == []


ONE_MORE = {"growth": {"agents": [{"name": "cloud-2"}]}}


@pytest.mark.parametrize(("stack", "changed"), [("dev", {}), ("prod", {}), ("dev", ONE_MORE)])
def test_our_own_stacks_are_always_free(stack: str, changed: dict[str, Any]) -> None:
    assert list(over_free(items(stack, changed))) == []


def test_what_is_not_free_is_told_by_its_sum_over_all_machines_and_the_whole_pool() -> None:
    big = items("prod", {"paid": True, "machine": {"ocpus": 8, "memory_gb": 48, "data_gb": 300}})
    assert [said.partition(" in all")[0] for said in over_free(big)] == [
        "8 OCPUs", "48 GB of memory", "350 GB of volumes",
    ]  # fmt: skip
    pool = {**POOL, "paid": True, "machine": {"ocpus": 4, "memory_gb": 24, "data_gb": 50}}
    assert [said.partition(" in all")[0] for said in over_free(items("prod", pool))] == ["6 OCPUs", "32 GB of memory"]
    assert any("never free" in said for said in over_free([Item("Instance", "x", {"shape": "VM.Standard.E5.Flex"})]))


def test_the_pack_says_so_too() -> None:
    policy = free_policy()
    said: list[str] = []
    assert callable(policy.validate)
    policy.validate(StackValidationArgs([]), lambda message, _: said.append(message))
    assert said == []


def resources(stack: str, changed: Mapping[str, Any]) -> Iterator[Made]:
    return (one for one in run(stack, **changed).made if not one.type.startswith("countersign:"))


def items(stack: str, changed: Mapping[str, Any]) -> list[Item]:
    return [Item.of(one.type, one.name, one.inputs, protect=one.protect) for one in resources(stack, changed)]
