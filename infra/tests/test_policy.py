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


WIDE = [
    "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "203.0.0.0/16", "203.0.112.0/23", "203.0.113.7/16", "198.0.0.0/7",
    "8.0.0.0/7", "172.0.0.0/8", "192.0.0.0/8",
    "::/0", "::/1", "8000::/1", "2000::/3", "2001:db8::/32", "2001:db8::/47", "2001:db8::1/3", "fc00::/7",
    "all-fra-services-in-oracle-services-network",
]  # fmt: skip
NARROW = [
    "203.0.113.0/24", "203.0.113.7/32", "198.51.100.128/25", "10.0.0.0/8", "10.20.0.0/16", "172.16.0.0/12",
    "192.168.0.0/16", "2001:db8::/48", "2001:db8:0:1::/64", "2001:db8::7/128", "oci-fra-objectstorage", "id-of-group",
]  # fmt: skip


@pytest.mark.parametrize("number", [22, 3389, 5432, 8069, 8470])
@pytest.mark.parametrize("source", WIDE)
def test_ssh_and_databases_are_not_open_to_more_than_one_office_in_whichever_way_it_is_written(
    source: str, number: int
) -> None:
    policy = resource_policy("no-world-open-ports", *RULES["no-world-open-ports"])
    said = judged(policy, "NetworkSecurityGroupSecurityRule", {**port(number), "source": source})
    assert len(said) == 1
    assert f"port {number} (" in said[0]
    assert f"must not be open to {source}:" in said[0]
    rule = {"ingressSecurityRules": [{**IN, "source": source, "tcpOptions": {"min": number, "max": number}}]}
    assert len(judged(policy, "SecurityList", rule)) == 1
    assert judged(policy, "NetworkSecurityGroupSecurityRule", {**port(443), "source": source}) == []


@pytest.mark.parametrize("number", [22, 5432])
@pytest.mark.parametrize("source", NARROW)
def test_one_office_one_site_and_a_private_network_may_administer(source: str, number: int) -> None:
    policy = resource_policy("no-world-open-ports", *RULES["no-world-open-ports"])
    assert judged(policy, "NetworkSecurityGroupSecurityRule", {**port(number), "source": source}) == []


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
