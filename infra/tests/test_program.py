"""What holds for the program as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from stacks import POOL, example, run

KEEPS_DATA = {"Volume", "Bucket", "Vault", "Key", "Zone", "Compartment"}
CANNOT_CARRY_TAGS = {
    "NetworkSecurityGroupSecurityRule", "VolumeAttachment", "VolumeBackupPolicyAssignment", "ObjectLifecyclePolicy",
    "Rrset",
    "UserGroupMembership", "UserCapabilitiesManagement", "CustomerSecretKey",
}  # fmt: skip
MOVED: dict[str, Any] = {
    "owner": "Somebody Else", "contact": "bob@other.test", "region": "uk-london-1", "budget": 99, "paid": True,
    "machine": {"ocpus": 3, "memory_gb": 20, "data_gb": 120, "availability_domain": 2},
    "release": {"version": "9.9.9", "url": "https://other.test/x.tar.gz", "sha256": "cd" * 32},
    "names": {"domain": "other.test", "hub": "h", "odoo": "o"},
}  # fmt: skip


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_everything_that_holds_data_is_protected(stack: str) -> None:
    found = run(stack)
    kept = [one for one in found.made if one.type.rpartition(":")[2] in KEEPS_DATA]
    assert {one.type.rpartition(":")[2] for one in kept} >= KEEPS_DATA - ({"Zone"} if stack == "dev" else set())
    assert [one.name for one in kept if not one.protect] == []


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_everything_that_can_carry_tags_says_whose_it_is(stack: str) -> None:
    for one in run(stack).made:
        if one.type.startswith("oci:") and one.type.rpartition(":")[2] not in CANNOT_CARRY_TAGS:
            assert one.inputs["freeformTags"] == {"project": "countersign", "stack": stack, "made-by": "pulumi"}, (
                one.name
            )


def test_whatever_an_operator_changes_no_resource_gets_another_name() -> None:
    """A resource with another name is a new one, and the old is deleted."""
    before = {one.urn for one in run("prod").made}
    after = {one.urn for one in run("prod", **MOVED).made}
    assert before == after


def test_two_stacks_differ_in_what_they_are_called_at_oracle_and_not_in_their_logical_names() -> None:
    prod, dev = run("prod"), run("dev")
    names = {one.name for one in dev.made}
    assert names < {one.name for one in prod.made}
    shown = [{one.inputs["displayName"] for one in found.made if "displayName" in one.inputs} for found in (prod, dev)]
    assert shown[0].isdisjoint(shown[1] - {"actual", "forecast"})


def test_nothing_that_holds_data_is_replaced_by_what_an_operator_may_change() -> None:
    """Held against the properties that Oracle cannot change in place."""
    fixed = {
        "Volume": {"availabilityDomain"}, "Bucket": {"namespace", "name"}, "Vault": {"vaultType"}, "Key": {"keyShape"},
        "Zone": {"name", "zoneType"}, "Compartment": {"compartmentId"},
    }  # fmt: skip
    changed = {k: v for k, v in MOVED.items() if k not in ("region", "names")}
    changed |= {"machine": {"ocpus": 3, "memory_gb": 20, "data_gb": 120}, "paid": True}
    before, after = run("prod"), run("prod", **changed)
    for one in before.made:
        for key in fixed.get(one.type.rpartition(":")[2], ()):
            assert one.inputs.get(key) == after.one(one.name).inputs.get(key), f"{one.name}.{key}"


def test_the_outputs_say_what_comes_next() -> None:
    said = run("prod").outputs
    assert said["hub"] == "https://hub.office.office.test"
    assert said["connect"] == "countersign connect https://hub.office.office.test --code JOIN-ME"
    assert "pulumi stack output --show-secrets connect" in said["next"]
    assert said["health"].startswith("healthy")
    assert said["backups"] == (
        "s3:https://mynamespace.compat.objectstorage.eu-frankfurt-1.oraclecloud.com/countersign-prod-backups"
    )


@pytest.mark.parametrize(("stack", "changed"), [("dev", {}), ("prod", {}), ("prod", POOL)])
def test_no_value_of_a_secret_stands_in_the_clear_in_any_input(stack: str, changed: dict[str, Any]) -> None:
    for one in run(stack, **changed).made:
        if "value of" in repr(one.inputs) or "s3-key" in repr(one.inputs):
            assert one.secrets == ("secretContent",), one.name


def test_a_region_with_fewer_domains_than_asked_for_is_said_by_name() -> None:
    with pytest.raises(Exception, match="availability_domain"):
        run("prod", machine={**example("prod").get("machine", {}), "availability_domain": 4})
