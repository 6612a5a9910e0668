"""The owner drags a note while another revision takes its place, at every system call the mirror makes."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.mirror.world import APPROVED, World, begun, some

from vault_protocol import notes
from vault_protocol.mirror import Conflict, Decided, PutBack, rename
from vault_protocol.task import Task

ROUNDS = 1050


class Schedule:
    """Lets the owner act before the nth system call of the mirror."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left, self.act, self.calls = -1, _nothing, 0
        for module, name in ((os, "open"), (os, "stat"), (os, "rename"), (os, "unlink"), (rename, "_renameat2")):
            monkeypatch.setattr(module, name, self._before(getattr(module, name)))

    def _before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **named: Any) -> Any:
            self.calls += 1
            self.left -= 1
            if self.left == 0:
                act, self.act = self.act, _nothing
                act()
            return call(*args, **named)

        return counted

    def at(self, nth: int, act: Callable[[], None]) -> None:
        self.left, self.act, self.calls = nth, act, 0

    def finish(self) -> None:
        """Act now, if it did not come to it."""
        act, self.act, self.left = self.act, _nothing, -1
        act()


def _nothing() -> None:
    """The owner sits still."""


def draft(revision: int) -> Task:
    text = f"This is revision {revision}.\n"
    return made.pending(revision=revision, note=made.drafted(made.task(), made.mail(text=text)))


def drags(world: World, name: str, folder: str) -> Callable[[], None]:
    """`mv`, which fails when the file is not there any more."""

    def drag() -> None:
        source, target = world.path(name), world.path(f"{folder}/{Path(name).name}")
        if source.exists() and not target.exists():
            source.rename(target)

    return drag


def checked(world: World) -> list[Decided]:
    """Every decision is about the bytes the owner's file holds, and the head asks for exactly these."""
    decided = some(Decided, world.look())
    for item in decided:
        assert world.read(item.path) == item.content
        assert not item.edited
        assert item.content in world.at_head().values()
    return decided


def test_a_drag_raced_by_a_new_revision_never_approves_what_was_not_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, chance = begun(tmp_path, draft(1)), random.Random(20261123)
    schedule = Schedule(monkeypatch)
    revision, longest, moved = 1, 0, 0
    for _ in range(ROUNDS):
        name, seen = notes.write(draft(revision))
        assert world.read(name) == seen
        world.put(draft(revision + 1))
        schedule.at(chance.randrange(1, longest + 10), drags(world, name, chance.choice(["Approved", "Rejected"])))
        world.apply()
        longest = max(longest, schedule.calls)
        moved += not world.path(name).exists() and seen in world.files().values()
        assert checked(world) == []
        world.tick(4)
        world.apply()
        assert world.files() == world.at_head()
        revision += 1
    assert moved > 50, "the race was not hit"


def test_a_drag_raced_by_the_look_itself_decides_on_what_was_dragged_or_not_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, chance = begun(tmp_path, draft(1)), random.Random(7)
    schedule, name = Schedule(monkeypatch), notes.write(draft(1))[0]
    decisions = 0
    for _ in range(300):
        schedule.at(chance.randrange(1, 60), drags(world, name, "Approved"))
        decisions += len(checked(world))
        schedule.finish()
        world.tick(4)
        assert len(checked(world)) == 1
        world.move(f"Approved/{Path(name).name}", name)
        world.tick(4)
        assert checked(world) == []
    assert 0 < decisions < 300


def test_a_draft_dragged_in_the_moment_it_appears_is_decided_and_never_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each of the mirror's first system calls of that apply, from before it is there to after it is recorded."""
    moved = 0
    schedule = Schedule(monkeypatch)
    for nth in range(1, 60, 2):
        world = begun(tmp_path / str(nth), made.task())
        name, _ = notes.write(made.pending())
        world.put(made.pending())
        schedule.at(nth, drags(world, name, "Approved"))
        done = world.apply()
        if world.path(APPROVED).exists():
            moved += 1
            assert some(PutBack, done) == []
            decided = some(Decided, (*world.look(), *world.settle()))
            assert {(item.path, item.edited) for item in decided} == {(APPROVED, False)}, nth
        world.mirror.close()
    assert moved > 10, "the race was not hit"


def test_a_save_raced_by_an_exchange_is_never_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world, chance = begun(tmp_path, draft(1)), random.Random(11)
    schedule, longest = Schedule(monkeypatch), 0
    for number in range(400):
        mine = b"# Mine %d\n" % number
        world.commit({"Dashboard.md": b"# Theirs %d\n" % number})
        save = chance.choice([in_place, by_rename])
        schedule.at(chance.randrange(1, longest + 10), lambda save=save, mine=mine: save(world, mine))  # type: ignore[misc]
        done = world.apply()
        longest = max(longest, schedule.calls)
        schedule.finish()
        assert mine in world.files().values()
        for item in some(Conflict, (*done, *settled(world))):
            world.path(item.copy).unlink()
        assert world.files() == world.at_head()


def settled(world: World) -> tuple[Any, ...]:
    world.look()
    world.tick(4)
    return world.apply()


def in_place(world: World, content: bytes) -> None:
    world.write("Dashboard.md", content)


def by_rename(world: World, content: bytes) -> None:
    world.write(".Dashboard.md.tmp", content)
    world.move(".Dashboard.md.tmp", "Dashboard.md")
