"""What the owner put off is a note of theirs: it can be read, changed and deleted, and goes when its time is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from services.local_agent.tests.cli_world import World

from local_agent.approvals.snoozing import KEPT, Snoozed, path_of
from vault_protocol import layout
from vault_protocol.note import Note
from vault_protocol.task import Task, TaskId
from vault_protocol.testing import TestClock


class Office:
    """One draft that waits, and a clock that a test sets."""

    def __init__(self, world: World) -> None:
        asked = world.ask_for("Not today")
        self.world, self.vault = world, world.local.vault
        self.vault.refresh()
        self.task = self.vault.get(TaskId(asked))
        self.clock = TestClock(world.local.clock.now())
        self.snoozed = Snoozed(self.vault, self.clock)

    def note(self) -> Note | None:
        content = self.vault.journal.read(path_of(self.task))
        return Note.parse(content, path_of(self.task)) if content is not None else None

    def edit(self, **front: str | int | None) -> None:
        """As the owner does, in Obsidian."""
        note = self.note()
        assert note is not None
        path = path_of(self.task)
        self.vault.write("owner_edit", path, {path: note.put(**front).content()})


@pytest.fixture
def desk(world: World) -> Office:
    return Office(world)


def until(desk: Office, task: Task | None = None) -> datetime | None:
    return desk.snoozed.until(task or desk.task)


def test_it_is_a_note_that_says_what_and_until_when(desk: Office) -> None:
    then = (desk.clock.now() + timedelta(days=1)).replace(microsecond=0)
    desk.snoozed.put(desk.task, then)
    note = desk.note()
    assert note is not None
    assert (note.front.words("task"), note.front.words("subject")) == (desk.task.id, "Not today")
    assert until(desk) == then
    desk.clock.tick(then - desk.clock.now())
    assert until(desk) is None


def test_another_revision_is_news_and_shown(desk: Office) -> None:
    desk.snoozed.put(desk.task, desk.clock.now() + timedelta(days=1))
    assert until(desk, desk.task.evolve(revision=desk.task.revision + 1)) is None


@pytest.mark.parametrize(
    ("said", "hour"),
    [("2031-03-04", 23), ("2031-03-04 09:30", 8), ("2031-03-04T09:30", 8), ("2031-03-04T09:30:00Z", 9)],
)
def test_the_owner_sets_another_time_in_their_own_zone(desk: Office, said: str, hour: int) -> None:
    rule = b"# Rules\n\n- Working hours: Monday to Friday, 9:00 to 17:00 Europe/Berlin\n"
    desk.vault.write("owner_edit", "rules", {layout.HANDBOOK: rule})
    desk.snoozed.put(desk.task, desk.clock.now() + timedelta(hours=1))
    desk.edit(until=said)
    then = until(desk)
    assert then is not None
    assert then.astimezone(UTC).hour == hour


@pytest.mark.parametrize("said", ["", "next week", "2031-13-45", "9" * 40])
def test_a_time_that_is_none_puts_nothing_off_and_the_note_stays(desk: Office, said: str) -> None:
    desk.snoozed.put(desk.task, desk.clock.now() + timedelta(days=1))
    desk.edit(until=said)
    assert until(desk) is None
    desk.snoozed.clear()
    assert desk.note() is not None


def test_a_note_that_the_owner_deletes_or_breaks_puts_nothing_off(desk: Office) -> None:
    path = path_of(desk.task)
    desk.snoozed.put(desk.task, desk.clock.now() + timedelta(days=1))
    desk.vault.write("owner_edit", path, {path: b"---\nuntil: [\n---\n"})
    assert until(desk) is None
    desk.vault.write("owner_remove", path, {path: None})
    assert until(desk) is None


def test_a_note_is_cleared_a_day_after_its_time_or_when_nothing_waits_any_more(desk: Office) -> None:
    desk.snoozed.put(desk.task, desk.clock.now() + timedelta(hours=1))
    desk.clock.tick(timedelta(hours=2))
    desk.snoozed.clear()
    assert desk.note() is not None
    desk.clock.tick(KEPT)
    desk.snoozed.clear()
    assert desk.note() is None
    desk.snoozed.put(desk.task, desk.clock.now() + timedelta(days=9))
    assert desk.world.run("reject", desk.task.id, "--why", "no").code == 0
    desk.vault.refresh()
    desk.snoozed.clear()
    assert desk.note() is None


def test_other_notes_of_the_owners_in_that_folder_are_left_alone(desk: Office) -> None:
    other = "Snoozed/why.md"
    desk.vault.write("owner_edit", other, {other: b"# Mine\n"})
    desk.snoozed.clear()
    assert desk.vault.journal.read(other) == b"# Mine\n"
