"""An edited draft decides with the owner's words or not at all, and an older version is no edit."""

from __future__ import annotations

from pathlib import Path

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.mirror.world import APPROVED, NOTE, begun, edited, only, some

from vault_protocol import notes
from vault_protocol.mirror import Conflict, Decided, DraftEdited, PutBack, Vanished, Verdict


def test_an_edit_decides_only_after_it_was_still(tmp_path: Path) -> None:
    world = begun(tmp_path)
    mine = edited(world.read(NOTE))
    world.write(NOTE, mine)
    world.move(NOTE, APPROVED)
    assert world.look() == ()
    world.tick(2)
    assert world.look() == ()
    world.tick(2)
    item = only(Decided, world.look())
    assert (item.content, item.edited, item.verdict) == (mine, True, Verdict.APPROVE)


def test_an_edit_that_goes_on_starts_the_wait_again(tmp_path: Path) -> None:
    world = begun(tmp_path)
    mine = edited(world.read(NOTE))
    world.move(NOTE, APPROVED)
    world.write(APPROVED, mine)
    world.look()
    world.tick(2.5)
    world.write(APPROVED, mine.replace(b"Tuesday", b"Friday "))
    assert world.look() == ()
    world.tick(2.5)
    assert world.look() == ()
    world.tick(1)
    assert b"Friday" in only(Decided, world.look()).content


def test_edit_then_approve_leaves_no_copy_behind(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.write(NOTE, edited(world.read(NOTE)))
    assert only(DraftEdited, world.settle()).revision == 1
    world.move(NOTE, APPROVED)
    world.publish(only(Decided, world.settle()))
    world.apply()
    assert world.files() == world.at_head()
    assert b"on Tuesday." in world.files()[APPROVED.replace("r1", "r2")]
    assert world.settle() == ()


def test_edit_then_reject_keeps_the_owners_text_as_a_copy(tmp_path: Path) -> None:
    world = begun(tmp_path)
    mine = edited(world.read(NOTE))
    world.write(NOTE, mine)
    world.move(NOTE, f"Rejected/{Path(NOTE).name}")
    world.publish(only(Decided, world.settle()))
    world.settle_and_apply()
    assert mine in world.files().values()
    assert world.at_head().items() <= world.files().items()


@pytest.mark.parametrize("day", [b"Monday", b"Tuesday"])
def test_an_edit_is_quick_only_if_the_draft_was_and_it_still_is(tmp_path: Path, day: bytes) -> None:
    world = begun(tmp_path)
    world.quick = lambda task: "it has warnings" if b"on " + day in notes.write(task)[1] else None
    world.write(NOTE, edited(world.read(NOTE)))
    world.move(NOTE, APPROVED)
    assert world.settle() == ()
    assert "it has warnings" in only(PutBack, world.apply()).reason


def test_an_edit_that_is_put_back_keeps_the_owners_text_in_place(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.quick = lambda _task: "it has warnings"
    mine = edited(world.read(NOTE))
    world.write(NOTE, mine)
    world.move(NOTE, APPROVED)
    world.settle_and_apply()
    assert world.read(NOTE) == mine
    assert only(DraftEdited, world.settle()).content == mine


def test_an_approved_edit_with_a_secret_in_it_goes_back_and_stays_here(tmp_path: Path) -> None:
    world = begun(tmp_path)
    mine = world.read(NOTE).replace(b"yes, on Monday.", b"the password is correct horse battery")
    world.write(NOTE, mine)
    world.move(NOTE, APPROVED)
    assert world.settle() == ()
    assert "secret" in only(PutBack, world.apply()).reason
    assert world.read(NOTE) == mine


def test_a_malformed_edit_is_kept_as_a_copy_and_decides_nothing(tmp_path: Path) -> None:
    world = begun(tmp_path)
    mine = world.read(NOTE).replace(b"## Action", b"## Acton")
    world.write(NOTE, mine)
    world.move(NOTE, APPROVED)
    assert world.settle() == ()
    kept = only(Conflict, world.apply())
    assert "expected '## Action'" in kept.reason
    assert world.read(kept.copy) == mine
    world.tick(4)
    only(Vanished, world.apply())
    assert world.read(NOTE) == world.at_head()[NOTE]


def test_a_file_truncated_at_any_byte_never_decides_with_other_bytes(tmp_path: Path) -> None:
    world = begun(tmp_path)
    content = world.read(NOTE)
    world.path(NOTE).unlink()
    for end in range(0, len(content), 61):
        world.write(APPROVED, content[:end])
        for item in world.settle():
            assert isinstance(item, Decided)
            assert item.content == content[:end]
            assert item.edited


def test_a_note_changed_to_another_revision_or_id_is_no_decision(tmp_path: Path) -> None:
    world = begun(tmp_path)
    for old, new in ((b"revision: 1", b"revision: 2"), (b"id: aaaa", b"id: bbbb"), (b"attempt: 1", b"attempt: 7")):
        content = world.at_head()[NOTE]
        assert old in content
        world.path(NOTE).unlink(missing_ok=True)
        world.write(APPROVED, content.replace(old, new))
        assert some(Decided, world.settle()) == []
        world.apply()
        world.tick(4)
        world.apply()
        assert world.read(NOTE) == content


def test_an_older_revision_is_stale_and_no_edit(tmp_path: Path) -> None:
    world = begun(tmp_path)
    old = world.read(NOTE)
    world.put(made.pending(revision=2))
    world.apply()
    world.write(APPROVED, old)
    assert world.settle() == ()
    assert "older version" in only(PutBack, world.apply()).reason
    newer = NOTE.replace("r1", "r2")
    world.write(newer, old)
    assert world.settle() == ()
    world.apply()
    assert world.files() == world.at_head()


@pytest.mark.parametrize("revision", [1, 2])
def test_an_older_version_is_not_taken_for_an_edit_when_it_is_the_only_file(tmp_path: Path, revision: int) -> None:
    world = begun(tmp_path)
    old, task = world.read(NOTE), made.pending(revision=revision)
    world.put(task.evolve(note=task.note.put(reopened_because="the approval expired")))
    world.apply()
    world.path(NOTE.replace("r1", f"r{revision}")).unlink()
    world.write(APPROVED, old)
    assert world.settle() == ()
    world.apply()
    assert world.files() == world.at_head()
