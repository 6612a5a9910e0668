"""A file that moves is a decision only when it can be nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.mirror.world import APPROVED, NOTE, begun, note_without_action, only, some

from vault_protocol import moves
from vault_protocol.mirror import Decided, PutBack, Unsynced, Vanished, Verdict
from vault_protocol.task import Stage


@pytest.mark.parametrize(
    ("folder", "verdict"),
    [("Approved", Verdict.APPROVE), ("Rejected", Verdict.REJECT), ("Needs_Action/email", Verdict.SEND_BACK)],
)
def test_moving_the_recorded_note_decides_at_once(tmp_path: Path, folder: str, verdict: Verdict) -> None:
    world = begun(tmp_path)
    content = world.read(NOTE)
    world.move(NOTE, f"{folder}/{Path(NOTE).name}")
    item = only(Decided, world.look())
    assert (item.verdict, item.revision, item.content, item.edited) == (verdict, 1, content, False)
    assert item.task == made.task_id(0)


@pytest.mark.parametrize("folder", ["Approved", "Rejected", "Needs_Action/email", "Done"])
def test_a_published_decision_leaves_one_note_where_the_head_has_it(tmp_path: Path, folder: str) -> None:
    world = begun(tmp_path, note_without_action() if folder == "Done" else made.pending())
    world.move(NOTE, f"{folder}/{Path(NOTE).name}")
    world.publish(*world.look())
    world.settle_and_apply()
    assert world.files() == world.at_head()
    assert world.settle() == ()


def test_moving_to_done_acknowledges_a_note_that_asks_for_nothing(tmp_path: Path) -> None:
    world = begun(tmp_path, note_without_action())
    world.move(NOTE, f"Done/{Path(NOTE).name}")
    assert only(Decided, world.look()).verdict is Verdict.ACKNOWLEDGE


def test_moving_a_draft_to_done_decides_nothing_and_it_goes_back(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.move(NOTE, f"Done/{Path(NOTE).name}")
    assert world.look() == ()
    assert "approved or rejected" in only(PutBack, world.apply()).reason
    assert world.files() == world.at_head()


def test_a_note_without_action_cannot_be_approved(tmp_path: Path) -> None:
    world = begun(tmp_path, note_without_action())
    world.move(NOTE, APPROVED)
    assert "move it to Done/" in only(PutBack, world.apply()).reason


@pytest.mark.parametrize(
    "name", ["aaaaaaaaaaaaaaaa.md", "aaaaaaaaaaaaaaaa yes please.md", "deep/aaaaaaaaaaaaaaaa-x.md"]
)
def test_any_name_that_keeps_the_id_decides(tmp_path: Path, name: str) -> None:
    world = begun(tmp_path)
    world.path("Approved/deep").mkdir()
    world.move(NOTE, f"Approved/{name}")
    world.publish(only(Decided, world.look()))
    world.settle_and_apply()
    assert world.files() == world.at_head()


def test_a_copy_and_a_delete_that_are_seen_together_decide_at_once(tmp_path: Path) -> None:
    world = begun(tmp_path)
    shutil.copy(world.path(NOTE), world.path(APPROVED))
    world.path(NOTE).unlink()
    assert only(Decided, world.look()).content == world.at_head()[NOTE]


def test_a_copy_is_a_second_file_until_the_original_is_gone_for_a_while(tmp_path: Path) -> None:
    world = begun(tmp_path)
    shutil.copy(world.path(NOTE), world.path(APPROVED))
    assert only(Unsynced, world.settle()).path == APPROVED
    world.path(NOTE).unlink()
    assert world.look() == ()
    world.tick(4)
    assert only(Decided, world.look()).verdict is Verdict.APPROVE


def test_half_a_copy_decides_nothing(tmp_path: Path) -> None:
    world = begun(tmp_path)
    content = world.read(NOTE)
    world.path(NOTE).unlink()
    world.write(APPROVED, content[:200])
    assert world.look() == ()
    world.tick(1)
    world.write(APPROVED, content)
    world.look()
    world.tick(4)
    assert only(Decided, world.look()).edited is False


def test_a_remark_in_the_front_matter_goes_back_with_the_note(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.write(NOTE, world.read(NOTE).replace(b"---\n", b"---\nremark: shorter, please\n", 1))
    world.move(NOTE, f"Needs_Action/email/{Path(NOTE).name}")
    item = only(Decided, world.settle())
    assert (item.verdict, item.remark) == (Verdict.SEND_BACK, "shorter, please")
    world.publish(item)
    world.settle_and_apply()
    assert world.files() == world.at_head()


def test_a_remark_of_an_earlier_round_is_not_said_again(tmp_path: Path) -> None:
    task = made.pending()
    world = begun(tmp_path, task.evolve(note=task.note.put(remark="shorter, please")))
    world.move(NOTE, f"Rejected/{Path(NOTE).name}")
    assert only(Decided, world.look()).remark == ""


@pytest.mark.parametrize("verdict", ["Approved", "Rejected"])
def test_what_is_not_quick_goes_back_with_the_command_to_use(tmp_path: Path, verdict: str) -> None:
    world = begun(tmp_path)
    world.quick = lambda _task: "this is a payment"
    world.move(NOTE, f"{verdict}/{Path(NOTE).name}")
    assert world.look() == ()
    reason = only(PutBack, world.apply()).reason
    assert reason.startswith("this is a payment: confirm with `countersign ")
    assert str(made.task_id(0)) in reason
    assert world.files() == world.at_head()


def test_a_refused_decision_goes_back_and_may_be_made_again(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.move(NOTE, APPROVED)
    world.mirror.refuse(only(Decided, world.look()), "the key is locked")
    assert world.look() == ()
    assert only(PutBack, world.apply()).reason == "the key is locked"
    world.move(NOTE, APPROVED)
    only(Decided, world.look())


def test_a_drag_of_a_revision_that_was_replaced_meanwhile_decides_nothing(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.move(NOTE, APPROVED)
    world.put(made.pending(revision=2))
    assert world.look() == ()
    world.apply()
    assert world.settle() == ()
    world.apply()
    assert world.files() == world.at_head()


def test_a_second_file_with_the_id_is_reported_and_left_alone(tmp_path: Path) -> None:
    world = begun(tmp_path)
    names = [
        "Approved/aaaaaaaaaaaaaaaa-your-question.r1 1.md",
        "Approved/aaaaaaaaaaaaaaaa-your-question.r1 (conflict 2026-11-23 150405).md",
        "Approved/aaaaaaaaaaaaaaaa-your-question.r1.sync-conflict-20261123-150405-ABCDEFG.md",
        "Approved/aaaaaaaaaaaaaaaa-your-question.r1 copy.md",
        "Projects/aaaaaaaaaaaaaaaa-your-question.md",
    ]
    content = world.read(NOTE)
    for name in names:
        world.write(name, content)
    found = world.settle()
    assert sorted(item.path for item in some(Unsynced, found)) == sorted(names)
    assert len(found) == len(names)
    world.path(NOTE).unlink()
    world.path(names[-1]).unlink()
    assert some(Decided, world.settle()) == []
    world.apply()
    assert world.read(NOTE) == content
    assert all(world.path(name).exists() for name in names[:-1])


def test_two_files_that_claim_to_be_the_moved_note_decide_nothing(tmp_path: Path) -> None:
    world = begun(tmp_path)
    content = world.read(NOTE)
    world.move(NOTE, APPROVED)
    world.write("Rejected/aaaaaaaaaaaaaaaa.md", content)
    assert len(some(Unsynced, world.settle())) == 2
    only(Vanished, world.apply())
    assert world.read(NOTE) == content


@pytest.mark.parametrize("to", ["aaaaaaaaaaaaaaaa.md", "Projects/aaaaaaaaaaaaaaaa.md", "Inbox/aaaaaaaaaaaaaaaa.md"])
def test_a_note_moved_anywhere_else_comes_back(tmp_path: Path, to: str) -> None:
    world = begun(tmp_path)
    world.path("Projects").mkdir()
    world.move(NOTE, to)
    assert world.look() == ()
    only(PutBack, world.apply())
    assert world.files() == world.at_head()


@pytest.mark.parametrize("how", ["delete", "obsidian"])
def test_a_vanished_note_returns(tmp_path: Path, how: str) -> None:
    world = begun(tmp_path)
    if how == "delete":
        world.path(NOTE).unlink()
    else:
        world.path(".trash").mkdir()
        world.move(NOTE, ".trash/note.md")
    assert world.apply() == ()
    assert only(Vanished, world.settle_and_apply()).path == NOTE
    assert world.files().items() >= world.at_head().items()


def test_what_the_mirror_put_into_approved_itself_decides_nothing(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.put(moves.approve(world.task(), revision=1))
    world.apply()
    assert world.read(APPROVED)
    assert world.settle() == ()


def test_an_approved_note_is_not_taken_back_by_moving_it(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.put(moves.approve(world.task(), revision=1))
    world.apply()
    world.move(APPROVED, NOTE)
    assert world.look() == ()
    only(PutBack, world.apply())
    assert world.files() == world.at_head()


def test_a_rejected_note_may_be_sent_back(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.put(moves.reject(world.task(), revision=1, why="no", now=world.clock.now()))
    world.apply()
    rejected = next(path for path in world.files() if path.startswith("Rejected/"))
    world.move(rejected, f"Needs_Action/email/{Path(NOTE).name}")
    assert only(Decided, world.look()).verdict is Verdict.SEND_BACK


def test_a_folder_of_drafts_moved_at_once_decides_each(tmp_path: Path) -> None:
    world = begun(tmp_path, *(made.pending(number) for number in range(3)))
    world.move("Pending_Approval/email", "Approved/email")
    assert {item.task for item in some(Decided, world.look())} == {made.task_id(number) for number in range(3)}


def test_without_a_base_nothing_is_a_decision(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.mirror.close()
    for file in (tmp_path / "state").iterdir():
        file.unlink()
    world.start()
    world.move(NOTE, APPROVED)
    world.write("Company_Handbook.md", b"other\n")
    assert some(Decided, world.settle()) == []
    world.apply()
    assert world.read(NOTE) == world.at_head()[NOTE]
    world.path(NOTE).unlink()
    assert some(Decided, world.settle()) == []
    assert b"other\n" in world.files().values()


def test_one_bad_file_blocks_only_itself(tmp_path: Path) -> None:
    world = begun(tmp_path, *(made.pending(number) for number in range(3)))
    first, second, third = sorted(path for path in world.files() if path.startswith("Pending"))
    world.path(first).unlink()
    world.path(first).mkdir()
    world.write(second, b"\xff\xfe not a note")
    world.move(third, f"Approved/{Path(third).name}")
    assert [item.task for item in some(Decided, world.settle())] == [made.task_id(2)]
    assert world.task(first).stage is Stage.PENDING_APPROVAL


def test_a_restart_forgets_nothing_of_the_base(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.restart()
    world.move(NOTE, APPROVED)
    only(Decided, world.look())
