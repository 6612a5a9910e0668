from __future__ import annotations

import re

import pytest
from stacks import run

WRITER, PRUNER = "id-of-backup-writer-group", "id-of-backup-pruner-group"


def rights(group: str) -> list[tuple[frozenset[str], str]]:
    """What a group may do with objects of the backups, and with which."""
    found = run("prod").one("backup-policy").inputs["statements"]
    mine = [s for s in found if f"group id {group} " in s]
    assert all(
        "target.bucket.name = 'countersign-prod-backups'" in s and "in compartment id id-of-compartment" in s
        for s in mine
    )
    objects = [s for s in mine if " objects " in s]
    return [
        (frozenset(re.findall(r"request.permission = '(\w+)'", s)), "".join(re.findall(r"object.name = (\S+),", s)))
        for s in objects
    ]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_no_bucket_is_public_and_each_is_encrypted_with_the_stacks_key_and_protected(stack: str) -> None:
    buckets = run(stack).of("Bucket")
    assert len(buckets) == 2
    for bucket in buckets:
        assert bucket.inputs["accessType"] == "NoPublicAccess"
        assert bucket.inputs["kmsKeyId"] == "id-of-key"
        assert bucket.protect


def test_the_vm_adds_backups_and_deletes_its_own_locks_alone() -> None:
    assert rights(WRITER) == [
        (frozenset({"OBJECT_INSPECT", "OBJECT_READ", "OBJECT_CREATE"}), ""),
        (frozenset({"OBJECT_DELETE"}), "/locks*/"),
    ]


def test_nobody_but_an_administrator_overwrites_a_backup_or_deletes_an_old_version() -> None:
    everything = frozenset[str]().union(
        *(permissions for group in (WRITER, PRUNER) for permissions, _ in rights(group))
    )
    assert not everything & {"OBJECT_OVERWRITE", "OBJECT_VERSION_DELETE", "OBJECT_UPDATE_TIER"}


def test_pruning_is_anothers_credential_which_goes_to_the_owner_and_not_to_the_vm() -> None:
    found = run("prod")
    assert (frozenset({"OBJECT_INSPECT", "OBJECT_READ", "OBJECT_CREATE", "OBJECT_DELETE"}), "") in rights(PRUNER)
    assert "id-of-backup-pruner-key" in found.outputs["pruning-credentials"]
    assert "pruner" not in found.one("vm").inputs["metadata"]["countersign"]


def test_what_is_deleted_can_be_brought_back_for_ninety_days() -> None:
    found = run("prod")
    assert found.one("backups").inputs["versioning"] == "Enabled"
    rules = {rule["target"]: rule for rule in found.one("backups-lifecycle").inputs["rules"]}
    assert rules["previous-object-versions"]["timeAmount"] == "90"
    assert "objects" not in rules, "restic alone decides what of the newest goes"


def test_old_logs_go_and_the_word_of_the_vm_stays() -> None:
    (rule,) = run("prod").one("reports-lifecycle").inputs["rules"]
    assert (rule["action"], rule["target"], rule["timeAmount"]) == ("DELETE", "objects", "30")
    assert rule["objectNameFilter"] == {"inclusionPrefixes": ["logs"]}, "logs/ of the VM, logs.NAME. of an agent"
    (kept,) = run("prod").one("backups-lifecycle").inputs["rules"][:1]
    assert "objectNameFilter" not in kept


def test_no_two_users_of_a_tenancy_have_one_address() -> None:
    users = [one.inputs["email"] for stack in ("prod", "dev") for one in run(stack).of("User")]
    assert len({*users}) == 4
    assert "ann+countersign-prod-backup-writer@office.test" in users


def test_the_users_of_the_s3_interface_have_keys_for_it_and_no_other_way_in() -> None:
    limits = run("prod").of("UserCapabilitiesManagement")
    assert len(limits) == 2
    for one in limits:
        allowed = {name for name, value in one.inputs.items() if name.startswith("canUse") and value}
        assert allowed == {"canUseCustomerSecretKeys"}


def test_keys_are_secrets_in_the_state() -> None:
    assert [key.secrets for key in run("prod").of("CustomerSecretKey")] == [("key",), ("key",)]
