from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pulumi
import pytest
from stacks import example, run

from infra import orders
from infra.settings import read
from infra.values import Illegal


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_vm_is_what_is_always_free_or_less(stack: str) -> None:
    vm = run(stack).one("vm").inputs
    assert vm["shape"] == "VM.Standard.A1.Flex"
    assert vm["shapeConfig"]["ocpus"] <= 2
    assert vm["shapeConfig"]["memoryInGbs"] <= 12


def test_the_identity_of_the_vm_is_given_by_the_second_metadata_service_alone() -> None:
    assert run("prod").one("vm").inputs["instanceOptions"]["areLegacyImdsEndpointsDisabled"] is True


def test_what_is_at_rest_and_on_the_way_to_the_disk_is_encrypted_with_the_stacks_key() -> None:
    found = run("prod")
    vm = found.one("vm").inputs
    assert vm["sourceDetails"]["kmsKeyId"] == found.one("data").inputs["kmsKeyId"] == "id-of-key"
    assert vm["isPvEncryptionInTransitEnabled"] is True
    assert found.one("data-attachment").inputs["isPvEncryptionInTransitEnabled"] is True


def test_the_vm_can_be_replaced_and_its_data_address_and_names_stay() -> None:
    found = run("prod")
    vm, attachment = found.one("vm"), found.one("data-attachment")
    assert vm.replaces_first, "the new one needs the address and the volume of the old"
    assert attachment.replaces_first
    assert vm.inputs["createVnicDetails"]["privateIp"] == "10.20.1.10"
    assert found.one("address").inputs["lifetime"] == "RESERVED"
    assert found.one("address").inputs["privateIpId"] == "private-ip-of-10.20.1.10"
    assert not vm.protect
    assert found.one("data").protect


def test_a_newer_image_at_oracle_replaces_no_vm_and_a_named_one_does() -> None:
    assert run("prod").one("vm").ignored == ("sourceDetails.sourceId",)
    named = run("prod", machine={"image": "ocid1.image.oc1.mine"}).one("vm")
    assert named.ignored == ()
    assert named.inputs["sourceDetails"]["sourceId"] == "ocid1.image.oc1.mine"


def test_both_volumes_are_backed_up_within_the_five_free_backups() -> None:
    found = run("prod")
    assigned = {one.inputs["assetId"]: one.inputs["policyId"] for one in found.of("VolumeBackupPolicyAssignment")}
    assert assigned == {"id-of-data": "id-of-data-backups", "boot-volume": "id-of-boot-backups"}
    kept = 0
    for policy in found.of("VolumeBackupPolicy"):
        (schedule,) = policy.inputs["schedules"]
        period = {"ONE_WEEK": 7, "ONE_MONTH": 30}[schedule["period"]] * 86400
        kept += -(-schedule["retentionSeconds"] // period)
    assert kept <= 5


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_no_secret_is_in_what_the_vm_is_told(stack: str) -> None:
    found = run(stack)
    metadata = found.one("vm").inputs["metadata"]
    told = gzip.decompress(base64.b64decode(metadata["user_data"])).decode() + metadata["countersign"]
    assert "value of" not in told
    assert "s3-key" not in told
    assert {one["id"] for one in json.loads(metadata["countersign"])["secrets"]} >= {"id-of-secret-db-password"}


def test_another_release_name_or_mailbox_replaces_no_vm_for_its_first_boot_text_is_the_same_for_all() -> None:
    texts = {
        run(stack, **changed).one("vm").inputs["metadata"]["user_data"]
        for stack, changed in (("prod", {}), ("dev", {}), ("prod", {"owner": "Somebody Else"}))
    }
    assert len(texts) == 1


def boxes(number: int, *agents: str) -> list[dict[str, Any]]:
    box = {"address": "ann@office.test", "host": "imap.office.test", "user": "ann@office.test"}
    return [{"name": f"box-{n}", **box, **({"agents": agents} if agents else {})} for n in range(number)]


def test_all_metadata_fits_into_what_oracle_takes_with_room_for_a_dozen_mailboxes() -> None:
    found = run("prod", mailboxes=boxes(12))
    metadata = found.one("vm").inputs["metadata"]
    assert sum(len(name) + len(text) for name, text in metadata.items()) <= 32_000


def test_more_mailboxes_than_the_metadata_holds_are_refused_before_anything_of_them_is_made() -> None:
    says = (
        r"metadata of the VM has \d+ bytes, and Oracle takes 32000: .* with 40 mailboxes; let other agents watch some"
    )
    with pytest.raises(Illegal, match=says):
        run("prod", mailboxes=boxes(40))
    grown = {"growth": {"agents": [{"name": "cloud-2"}]}, "paid": True}
    with pytest.raises(Illegal, match=r"metadata of the machine of cloud-2 has .* with 40 mailboxes"):
        run("prod", mailboxes=boxes(40, "cloud-2"), **grown)


def test_what_one_machine_cannot_hold_two_can() -> None:
    grown = {"growth": {"agents": [{"name": "cloud-2"}]}, "paid": True}
    mine, theirs = boxes(30)[:15], boxes(30, "cloud-2")[15:]
    found = run("prod", mailboxes=[*mine, *theirs], **grown)
    assert {one.name for one in found.of("Instance")} == {"vm", "agent-cloud-2"}
    with pytest.raises(Illegal):
        run("prod", mailboxes=boxes(30), **grown)


def test_longer_names_than_were_reckoned_with_are_refused_before_oracle_refuses_them() -> None:
    """What is checked once more when the ids are known."""
    settings = read(example("prod"), stack="prod")
    ids = {"cloud/business": pulumi.Output.from_input("x" * 40_000)}

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> pulumi.Output[str]:
        name = pulumi.Output.from_input("name")
        return orders.text(
            settings, user_data="", secrets=ids, versions={}, made=frozenset(),
            namespace=name, reports=name, backups=name,
        )  # fmt: skip

    with pytest.raises(Illegal, match="metadata of the VM"):
        program()
