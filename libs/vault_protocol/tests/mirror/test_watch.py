"""The real observer on a real folder: what moves is noticed, what does not matter wakes nobody."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.mirror.world import APPROVED, HANDBOOK, NOTE, World, begun, edited, only, some
from watchdog.observers.inotify import InotifyObserver
from watchdog.observers.inotify_c import InotifyConstants, InotifyEvent, WatchDescriptor

from vault_protocol.mirror import Decided, DraftEdited, Dropped, Edited, Item
from vault_protocol.mirror.look import Looker

PATIENCE = 10.0
"""Seconds until an event that did not come is a failure."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = begun(tmp_path, *(made.pending(number) for number in range(3)))
    world.mirror.watch()
    world.look()
    while world.mirror.changed.wait(0.3):
        world.look()
    yield world
    world.mirror.close()


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often everything was looked at."""
    found: list[str] = []
    walk = Looker._walk

    def counted(self: Looker) -> Iterator[str]:
        found.append("everything")
        return walk(self)

    monkeypatch.setattr(Looker, "_walk", counted)
    return found


def noticed(world: World, kind: type[Item], seconds: float = 0.0) -> Item:
    """The first item of this kind that the watcher leads to."""
    while True:
        assert world.mirror.changed.wait(PATIENCE), "nothing was noticed"
        while world.mirror.changed.wait(0.2):  # the clock is ours, so let the writer finish first
            world.look()
        world.tick(seconds)
        if found := some(kind, world.look()):
            return found[0]


def test_a_drag_is_noticed_without_looking_at_everything(world: World, scans: list[str]) -> None:
    world.move(NOTE, APPROVED)
    assert noticed(world, Decided) == only(Decided, world.look())
    assert scans == []


def test_saves_new_notes_and_drops_are_noticed(world: World, scans: list[str]) -> None:
    world.write(HANDBOOK, b"# Mine\n")
    assert noticed(world, Edited, 4) == Edited(HANDBOOK, b"# Mine\n")
    world.write(NOTE, edited(world.read(NOTE)))
    noticed(world, DraftEdited, 4)
    world.write("Inbox/scan.pdf", b"%PDF")
    noticed(world, Dropped, 4)
    assert scans == []


def test_a_new_folder_with_notes_in_it_is_noticed_whole(world: World, tmp_path: Path) -> None:
    (tmp_path / "made" / "deep").mkdir(parents=True)
    (tmp_path / "made" / "deep" / "a.md").write_bytes(b"a\n")
    shutil.move(tmp_path / "made", world.path("Projects"))
    first = noticed(world, Edited, 4)
    assert first == Edited("Projects/deep/a.md", b"a\n")
    world.publish(first)
    world.apply()
    world.write("Projects/deep/b.md", b"b\n")
    assert noticed(world, Edited, 4) == Edited("Projects/deep/b.md", b"b\n")


def test_a_dragged_folder_of_drafts_is_noticed(world: World) -> None:
    world.move("Pending_Approval/email", "Approved/email")
    noticed(world, Decided, 4)
    assert len(some(Decided, world.look())) == 3


def test_what_happens_in_hidden_folders_wakes_nobody(world: World) -> None:
    world.path(".obsidian").mkdir()
    while world.mirror.changed.wait(0.3):
        world.look()
    world.write(".obsidian/workspace.json", b"{}")
    world.write(".Company_Handbook.md.swp", b"x")
    world.write("Company_Handbook.md~", b"x")
    assert not world.mirror.changed.wait(0.5)


def test_looking_and_reading_wake_nobody(world: World) -> None:
    world.mirror.rescan()
    world.look()
    world.mirror.read(HANDBOOK)
    assert not world.mirror.changed.wait(0.5)


def test_dropped_events_lead_to_a_look_at_everything(world: World, scans: list[str]) -> None:
    watch = world.mirror._watch
    assert watch
    assert isinstance(watch._observer, InotifyObserver)
    lost = InotifyEvent(WatchDescriptor(-1), InotifyConstants.IN_Q_OVERFLOW, 0, b"")
    watch._observer._inotify_fd.handle_event(lost)
    assert world.mirror.changed.is_set()
    world.look()
    assert scans


def test_a_watcher_that_died_leads_to_looks_at_everything(world: World, scans: list[str]) -> None:
    watch = world.mirror._watch
    assert watch
    for emitter in watch._observer.emitters:
        emitter.stop()
        emitter.join()
    world.move(NOTE, APPROVED)
    only(Decided, world.look())
    assert scans


def test_now_and_then_everything_is_looked_at_anyway(world: World, scans: list[str]) -> None:
    world.look()
    assert scans == []
    world.tick(601)
    world.look()
    assert scans
