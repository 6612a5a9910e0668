"""The program under the real Pulumi engine, with a state on disk under a passphrase; Oracle is provider.py."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import engines
import provider
import pulumi
import pytest
from pulumi import automation
from stacks import INFRA, example

from infra import conventions, orders, settings
from infra.__main__ import build

pytestmark = pytest.mark.engine


@dataclass
class Engine:
    """A stack whose settings a test changes between two runs."""

    stack: automation.Stack
    world: provider.World
    home: Path
    chosen: dict[str, Any]

    def up(self) -> dict[str, int]:
        self.world.done.clear()
        return {str(op): n for op, n in (self.stack.up(color="never").summary.resource_changes or {}).items()}

    def preview(self) -> dict[str, int]:
        return {str(op): count for op, count in self.stack.preview(color="never").change_summary.items()}

    def state(self) -> str:
        return "".join(file.read_text() for file in self.home.rglob("*.json") if ".pulumi/stacks" in file.as_posix())


@pytest.fixture
def engine(cli: automation.PulumiCommand, tmp_path: Path) -> Iterator[Engine]:
    world, chosen = provider.World(), example("prod")

    def program() -> None:
        found = settings.read(copy.deepcopy(chosen), stack="prod")
        given = lambda file: pulumi.Output.secret(f"value of {file}")  # noqa: E731
        for name, value in build(found, given).items():
            pulumi.export(name, value)

    with provider.serving(world) as port:
        stack = engines.stack(program, cli=cli, folder=tmp_path, port=port)
        yield Engine(stack, world, tmp_path / "state", chosen)


def test_the_engine_previews_makes_and_then_sees_nothing_more_to_do(engine: Engine) -> None:
    planned = engine.preview()
    assert engine.world.things == {}, "a preview makes nothing"

    made = engine.up()

    assert planned == made
    assert made["create"] > 70
    assert engine.stack.outputs()["hub"].value == "https://hub.office.office.test"
    assert engine.up() == {"same": made["create"]}


def test_no_secret_is_in_the_state_in_the_clear(engine: Engine) -> None:
    engine.up()
    state = engine.state()
    assert json.loads(state)["checkpoint"]["latest"]["resources"], "the state is read"
    for secret in ("value of cloud/business", "dmFsdWUgb2YgY2xvdWQvYnVzaW5lc3M=", "s3-key", "JOIN-ME"):
        assert secret not in state
    assert engine.stack.outputs()["connect"].value.endswith("--code JOIN-ME")
    assert engine.stack.outputs()["pruning-credentials"].secret


def test_a_new_release_changes_the_vm_in_place_and_waits_for_it_to_say_so(engine: Engine) -> None:
    engine.up()
    engine.chosen["release"] = {**engine.chosen["release"], "version": "0.2.0"}

    changes = engine.up()

    assert engine.world.done == [("updated", "vm")]
    assert changes["update"] == 1
    assert json.loads(engine.world.mocks.told)["release"]["version"] == "0.2.0"


def test_another_first_boot_replaces_the_vm_and_keeps_its_data_its_address_and_its_names(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.up()
    monkeypatch.setattr("infra.cloud_init.encoded", lambda: "another text")

    engine.up()

    order = [(what, name) for what, name in engine.world.done if name in ("vm", "data-attachment")]
    assert order.index(("deleted", "vm")) < order.index(("created", "vm")), "its address is free only then"
    assert order.index(("deleted", "data-attachment")) < order.index(("deleted", "vm"))
    assert set(engine.world.names("deleted")) <= {"vm", "data-attachment", "boot-backups-assigned"}


def test_what_an_operator_renames_is_changed_in_place_and_deletes_nothing_that_holds_data(engine: Engine) -> None:
    engine.up()
    engine.chosen |= {"owner": "Somebody Else", "contact": "bob@office.test", "budget": 99}
    engine.chosen["names"] = {**engine.chosen["names"], "hub": "h"}
    engine.chosen |= {"machine": {"ocpus": 3, "memory_gb": 20, "data_gb": 120}, "paid": True}

    engine.up()

    assert engine.world.names("deleted") == []
    assert engine.world.names("created") == []
    assert {"data", "vm", "hub-record"} <= set(engine.world.names("updated"))


def test_a_change_that_would_replace_what_holds_data_is_refused_by_the_engine(engine: Engine) -> None:
    engine.up()
    engine.chosen["machine"] = {"availability_domain": 2}

    with pytest.raises(automation.CommandError, match=r"unable to replace resource .*volume:Volume::data"):
        engine.up()
    assert "data" not in engine.world.names("deleted")
    assert "id-of-data" in engine.world.things


def test_another_domain_is_refused_in_the_preview_already_and_nothing_is_changed(engine: Engine) -> None:
    engine.up()
    engine.chosen["names"] = {**engine.chosen["names"], "domain": "other.test"}
    engine.world.done.clear()

    refused = r"unable to replace resource .*zone:Zone::zone"
    with pytest.raises(automation.CommandError, match=refused):
        engine.preview()
    assert engine.world.done == []
    with pytest.raises(automation.CommandError, match=refused):
        engine.up()  # without a preview before it
    assert engine.world.names("deleted") == engine.world.names("created") == []


def test_a_zone_that_was_taken_out_of_the_state_stays_beside_that_of_another_domain(engine: Engine) -> None:
    """The way that docs/infra.md describes, by its own command."""
    engine.up()
    page = (INFRA.parent / "docs" / "infra.md").read_text(encoding="utf-8")
    (options,) = re.findall(r"`pulumi state delete ((?:--[a-z-]+ )+)URN`", page)
    resources = (engine.stack.export_stack().deployment or {})["resources"]
    (urn,) = [one["urn"] for one in resources if one["urn"].endswith("Zone::zone")]
    engine.stack.workspace.pulumi_command.run(
        ["state", "delete", *options.split(), urn, "--yes", "--stack", "prod"],
        engine.stack.workspace.work_dir,
        {**engine.stack.workspace.env_vars, "PULUMI_HOME": str(engine.stack.workspace.pulumi_home)},
    )
    engine.chosen["names"] = {**engine.chosen["names"], "domain": "other.test"}

    engine.up()

    assert engine.world.names("deleted") == []
    assert {*engine.world.names("created")} == {"zone", "hub-record", "odoo-record", "authority-record"}
    assert engine.stack.outputs()["hub"].value == "https://hub.other.test"


def test_destroy_takes_the_vm_and_leaves_what_holds_data(engine: Engine) -> None:
    engine.up()
    engine.world.done.clear()
    engine.stack.destroy(color="never", exclude_protected=True)

    gone = set(engine.world.names("deleted"))
    assert {"vm", "address", "alarm-vm-down", "vm-policy"} <= gone
    left = {
        thing["displayName"] if "displayName" in thing else thing.get("name") for thing in engine.world.things.values()
    }
    assert {"countersign-prod-data", "countersign-prod-backups", "office.office.test"} <= left
    with pytest.raises(automation.CommandError, match="protected"):
        engine.stack.destroy(color="never")


def test_what_somebody_changed_by_hand_is_found_and_put_back(engine: Engine) -> None:
    engine.up()
    rule = next(id_ for id_ in engine.world.things if id_ == "id-of-vm-in-443")
    engine.world.things[rule] |= {"tcpOptions": {"destinationPortRange": {"min": 22, "max": 22}}}

    with pytest.raises(automation.CommandError, match="no changes were expected for preview"):
        engine.stack.preview(color="never", refresh=True, expect_no_changes=True)
    engine.stack.up(color="never", refresh=True)

    assert engine.world.things[rule]["tcpOptions"]["destinationPortRange"]["min"] == 443


def test_a_vm_that_says_it_failed_ends_the_run_with_its_words_and_the_next_run_waits_again(engine: Engine) -> None:
    mocks = engine.world.mocks
    real = mocks.call
    said = {"state": "failed", "step": "release", "message": "c.tar.gz is not release 0.1.0", "instance": "id-of-vm"}
    tries = itertools.count()

    def call(args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        if args.args.get("object") == conventions.report(conventions.VM):
            at = f"2026-01-01T12:0{min(next(tries), 1)}:00Z"  # the first was there before
            return {"content": json.dumps({**said, "at": at, "orders": orders.digest(mocks.told)})}
        return real(args)

    mocks.call = call  # type: ignore[method-assign]
    with pytest.raises(
        automation.CommandError, match=r"the VM failed at release .2026-01-01T12:01:00Z.: c.tar.gz is not release 0.1.0"
    ):
        engine.up()

    mocks.call = real  # type: ignore[method-assign]
    changes = engine.up()
    assert set(changes) <= {"same", "create"}
    assert changes.get("create", 0) < 5, "what was made stays"


def test_illegal_settings_end_the_run_before_anything_is_made(engine: Engine) -> None:
    engine.chosen["admin_blocks"] = ["0.0.0.0/0"]
    with pytest.raises(automation.CommandError, match=r"port 22 \(SSH\) must not be open to 0.0.0.0/0"):
        engine.up()
    assert engine.world.things == {}
