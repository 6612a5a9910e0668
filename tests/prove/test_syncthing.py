"""The owner's folder on a second device, carried by the real Syncthing: what is done there counts by the same rules."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.mirror.world import APPROVED, HANDBOOK, NOTE, World, begun, edited, some

from tests.syncthings import Device, pair, until
from vault_protocol.mirror import Decided, Edited, Item, Verdict

pytestmark = [pytest.mark.prove, pytest.mark.xdist_group("syncthing")]


@dataclass
class Owner:
    """The owner's machine with its mirror, and their phone; `seen` is all that the mirror ever made of it."""

    world: World
    phone: Path
    here: Device
    there: Device
    seen: list[Item]

    def look(self) -> tuple[Item, ...]:
        """What the mirror sees now; nobody's clock moves."""
        found = self.world.look()
        self.seen += found
        return found

    def arrives(self, there: Callable[[], object], what: str) -> None:
        """Until it is so, with the mirror looking at whatever Syncthing is in the middle of."""
        until(lambda: (self.look(), there())[1], what)

    def read(self, name: str) -> bytes | None:
        """What the phone has."""
        path = self.phone / name
        return path.read_bytes() if path.exists() else None

    def conflicts(self) -> list[Path]:
        return [path for root in (self.world.folder, self.phone) for path in root.rglob("*.sync-conflict-*")]


@contextmanager
def owner(home: Path) -> Iterator[Owner]:
    world = begun(home / "machine", made.pending(), made.pending(1))
    phone = home / "phone"
    with pair(home / "syncthing", world.folder, phone, delay=1) as (here, there):
        found = Owner(world, phone, here, there, [])
        until(lambda: found.read(NOTE) == world.read(NOTE) and found.read(HANDBOOK), "the phone has the folder")
        yield found
    world.mirror.close()


def test_a_draft_moved_on_the_phone_is_decided_and_the_phone_sees_it_through(tmp_path: Path) -> None:
    with owner(tmp_path) as at:
        content = at.world.read(NOTE)
        (at.phone / NOTE).rename(at.phone / APPROVED)

        at.arrives(lambda: some(Decided, at.world.look()), "the move arrives as a decision")

        (decided,) = some(Decided, at.world.look())
        assert (decided.verdict, decided.edited, decided.content) == (Verdict.APPROVE, False, content)
        at.world.publish(decided)
        at.world.apply()
        done = at.world.at_head()[APPROVED]
        until(lambda: at.read(APPROVED) == done and at.read(NOTE) is None, "the phone has the approved note")
        assert at.world.settle() == ()
        assert at.conflicts() == []


def test_a_draft_edited_and_moved_on_the_phone_waits_until_it_has_been_still(tmp_path: Path) -> None:
    with owner(tmp_path) as at:
        mine = edited(at.world.read(NOTE))
        (at.phone / NOTE).write_bytes(mine)
        (at.phone / NOTE).rename(at.phone / APPROVED)

        at.arrives(lambda: at.world.path(APPROVED).exists() and not at.world.path(NOTE).exists(), "the move arrives")

        at.look()
        assert some(Decided, tuple(at.seen)) == []
        at.world.tick(4)
        (decided,) = some(Decided, at.look())
        assert (decided.verdict, decided.edited, decided.content) == (Verdict.APPROVE, True, mine)


def test_what_the_mirror_never_put_there_is_no_decision_wherever_it_comes_from(tmp_path: Path) -> None:
    with owner(tmp_path) as at:
        strange = f"Approved/{made.task_id(7)}-your-question.r1.md"
        (at.phone / strange).write_bytes(
            at.world.read(NOTE).replace(made.task_id(0).encode(), made.task_id(7).encode())
        )

        at.arrives(at.world.path(strange).exists, "the file arrives")

        at.world.settle_and_apply()
        assert some(Decided, (*at.seen, *at.world.settle())) == []


@pytest.mark.parametrize("name", [HANDBOOK, NOTE])
def test_of_two_sides_that_wrote_at_once_nobody_loses_a_byte_and_nothing_is_decided(tmp_path: Path, name: str) -> None:
    with owner(tmp_path) as at:
        at.there.stop()
        original = at.world.read(name)
        mine, theirs = original + b"\nWritten at the desk.\n", original + b"\nWritten on the train.\n"
        at.world.write(name, mine)
        (at.phone / name).write_bytes(theirs)
        os.utime(at.phone / name, (1_700_000_000, 1_700_000_000))
        at.there.start()

        at.arrives(lambda: len(at.conflicts()) == 2, "Syncthing keeps both on both sides")

        def kept() -> bool:
            items = at.world.settle()
            at.seen += items
            at.world.publish(*some(Edited, items))
            at.world.apply()
            return {mine, theirs} <= {*at.world.files().values(), *at.world.at_head().values()}

        until(kept, "both are here")  # Syncthing may still be at what the mirror put back
        assert some(Decided, tuple(at.seen)) == []
        assert len([path for path in at.world.at_head() if f"/{made.task_id(0)}" in path]) == 1
        assert [path for path in at.world.at_head() if "sync-conflict" in path] == []

        def told() -> bool:
            at.world.settle()
            return any("sync-conflict" in found.path for found in at.world.mirror.unsynced())

        until(told, "the owner is told of it")  # Syncthing may be at the file still


def test_a_large_file_on_its_way_is_nothing_until_it_is_there(tmp_path: Path) -> None:
    with owner(tmp_path) as at:
        large = b"# Minutes\n\n" + b"We met and talked at length about the pages.\n" * 20_000
        (at.phone / "Minutes.md").write_bytes(large)

        at.arrives(at.world.path("Minutes.md").exists, "the file arrives")

        assert at.seen == []
        (item,) = some(Edited, at.world.settle())
        assert (item.path, item.content) == ("Minutes.md", large)
