"""The verbs where a disk has no room: nobody keeps an empty picture, and what the hub took is told of as taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, LOCAL, World, submitted

from vault_protocol.errors import DiskTrouble
from vault_protocol.hub import CommitId
from vault_protocol.journal import Journal
from vault_protocol.task import Stage
from vault_protocol.testing import MemoryHub
from vault_protocol.vault import Vault


def test_what_waits_is_seen_after_a_restart_whose_first_look_at_the_hub_failed(world: World, tmp_path: Path) -> None:
    """As on a full disk: whoever looks meanwhile must not keep an empty picture."""

    class Failing(MemoryHub):
        full = True

        def refresh(self) -> CommitId | None:
            if self.full:
                raise DiskTrouble("no room left")
            return world.hub.refresh()

    def started(hub: MemoryHub) -> Vault:
        return Vault(Journal(world.store, hub, LOCAL, world.clock, trust=made.TRUST, checkpoint=tmp_path / "followed"))

    asks = submitted(world)
    started(world.hub).refresh()
    hub = Failing(world.store)
    local = started(hub)
    with pytest.raises(DiskTrouble):
        local.refresh()
    assert [task.id for task in local.tasks(Stage.PENDING_APPROVAL)] == [asks.id]

    hub.full = False
    local.refresh()
    assert [task.id for task in local.tasks(Stage.PENDING_APPROVAL)] == [asks.id]


@pytest.mark.parametrize("trouble", [DiskTrouble("no room left"), OSError("no room left")])
def test_what_the_hub_took_is_told_of_as_taken_where_the_checkpoint_finds_no_room(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    asks = submitted(world)
    checkpoint = tmp_path / "followed"
    journal = Journal(world.store, world.hub, LOCAL, world.clock, trust=made.TRUST, checkpoint=checkpoint)
    local = Vault(journal)
    local.refresh()
    before = checkpoint.read_bytes()

    def full(*, durable: bool = False) -> None:
        if durable:
            raise trouble

    with monkeypatch.context() as disk:
        disk.setattr(world.store, "keep", full)
        local.reject(local.get(asks.id), why="no")
    assert world.vault(CLOUD).get(asks.id).stage is Stage.REJECTED
    assert checkpoint.read_bytes() == before

    local.refresh()
    assert json.loads(checkpoint.read_text("ascii"))["head"] == journal.head
