"""Threads: a reminder when no answer comes, nothing when it does, and a draft that a newer mail overtakes goes back."""

from datetime import timedelta
from pathlib import Path

import pytest
from services.cloud_agent.tests.test_planner import approve
from services.cloud_agent.tests.world import ToldDrafter, World, mail

from cloud_agent import threads
from cloud_agent.threads import Mail, Threads
from drafting import Kind
from drafting.offline import OfflineDrafter
from vault_protocol import request
from vault_protocol.task import Stage, TaskId
from vault_protocol.testing import TestClock

ASKS = "Hello Jana,\n\ncan you tell me when you are here?\n\nOlive Owner\n"
RULES = "# Handbook\n\n## Rules\n\n- Remind: after 3 days\n"
SENT_AT = "<1@elsewhere.example>"


def sent(folder: Path, text: str = ASKS, *, handbook: str = RULES) -> World:
    """A first mail, answered with this text, approved and sent."""
    world = World(folder, ToldDrafter(text=text), handbook=handbook)
    world.receives(mail())
    world.works()
    world.local.finish(approve(world, world.only(Stage.PENDING_APPROVAL)), result="sent")
    return world


def goes_back(world: World) -> int:
    """What Local does with the signals: it takes drafts back."""
    world.local.refresh()
    assert world.local.journal.head
    paths = [path for path, _ in world.store.paths(world.local.journal.head, "Signals")]
    for path in paths:
        task = world.local.get(path.split("-")[1])
        world.local.send_back(task, remark="")
        world.local.write("clear", "signal", {path: None})
    return len(paths)


def test_a_question_that_gets_no_answer_becomes_one_reminder_when_its_time_is_over(tmp_path: Path) -> None:
    world = sent(tmp_path)
    world.waits(timedelta(days=2, hours=23).total_seconds())
    world.works()
    assert world.tasks(Stage.PENDING_APPROVAL) == []
    world.waits(7200)
    world.works()
    task = world.only(Stage.PENDING_APPROVAL)
    asked = request.read(task.note)
    assert asked is not None
    assert [str(box) for box in asked.action.to] == ["Jana Novak <jana@elsewhere.example>"]  # type: ignore[union-attr]
    assert asked.action.in_reply_to == SENT_AT  # type: ignore[union-attr]
    assert world.drafter.drafted[-1][2] == "May I come back to my last message? I look forward to hearing from you."
    world.local.reject(task, why="no")
    world.waits(timedelta(days=9).total_seconds())
    world.works()
    assert world.tasks(Stage.PENDING_APPROVAL) == []


def test_the_drafter_without_a_model_writes_a_reminder_too(tmp_path: Path) -> None:
    world = sent(tmp_path)
    world.drafter = OfflineDrafter()  # type: ignore[assignment]
    world.start()
    world.waits(timedelta(days=4).total_seconds())
    world.works()
    asked = request.read(world.only(Stage.PENDING_APPROVAL).note)
    assert asked is not None
    assert "May I come back to my last message?" in asked.action.text  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["Hello,\n\nyou are welcome.\n", 'Hello,\n\nI have understood:\n- "When?"\n\nBye\n'])
def test_what_asks_nothing_awaits_nothing(tmp_path: Path, text: str) -> None:
    world = sent(tmp_path, text)
    world.waits(timedelta(days=8).total_seconds())
    world.works()
    assert world.tasks(Stage.PENDING_APPROVAL) == []


def test_nobody_is_reminded_when_the_handbook_says_never_or_after_hours(tmp_path: Path) -> None:
    never = sent(tmp_path / "never", handbook=RULES.replace("after 3 days", "never"))
    hours = RULES + "- Working hours: Monday to Friday, 9:00 to 17:00 UTC\n"
    late = sent(tmp_path / "late", handbook=hours)
    for world in (never, late):
        now = world.clock.now()
        night = (now + timedelta(days=4)).replace(hour=3) - now
        world.waits(night.total_seconds())
        world.works()
        assert world.tasks(Stage.PENDING_APPROVAL) == []
    late.waits(7 * 3600.0)
    late.works()
    assert len(late.tasks(Stage.PENDING_APPROVAL)) == 1


@pytest.mark.parametrize("named", ["In_Reply_To", "References"])
def test_an_answer_in_time_leaves_nothing_to_remind_of(tmp_path: Path, named: str) -> None:
    world = sent(tmp_path)
    world.drafter.kinds = {"Re: A question": Kind.INFORMATIONAL}
    world.receives(mail("Re: A question", "On Monday.", message_id="<2@e.example>", **{named: f"{SENT_AT} <o@x.de>"}))
    world.waits(timedelta(days=4).total_seconds())
    world.works()
    assert world.tasks(Stage.PENDING_APPROVAL) == []


def test_an_answer_withdraws_a_reminder_that_waits(tmp_path: Path) -> None:
    world = sent(tmp_path)
    world.waits(timedelta(days=4).total_seconds())
    world.works()
    reminder = world.only(Stage.PENDING_APPROVAL)
    world.drafter.kinds = {"Re: A question": Kind.INFORMATIONAL}
    world.receives(mail("Re: A question", "Monday.", message_id="<2@e.example>", References=SENT_AT))
    world.works()
    assert goes_back(world) == 1
    world.works()
    again = world.only(Stage.PENDING_APPROVAL)
    assert (again.id, again.has_action) == (reminder.id, False)
    assert again.note.front.words("reason") == "the answer came: no reminder is needed"


def test_a_reminder_that_was_sent_is_not_reminded_of(tmp_path: Path) -> None:
    world = sent(tmp_path)
    world.waits(timedelta(days=4).total_seconds())
    world.works()
    world.local.finish(approve(world, world.only(Stage.PENDING_APPROVAL)), result="sent")
    world.waits(timedelta(days=4).total_seconds())
    world.works()
    assert world.tasks(Stage.PENDING_APPROVAL) == []


def test_a_newer_mail_of_the_thread_takes_back_the_draft_that_waits_and_is_answered_itself(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receives(mail())
    world.works()
    old = world.only(Stage.PENDING_APPROVAL)
    world.receives(mail("Re: A question", "Or on Monday?", message_id="<2@e.example>", In_Reply_To=SENT_AT))
    world.works()
    assert goes_back(world) == 1
    world.works()
    by_id = {task.id: task for task in world.tasks(Stage.PENDING_APPROVAL)}
    new = next(task for id_, task in by_id.items() if id_ != old.id)
    assert new.has_action
    assert not by_id[old.id].has_action
    assert new.id in by_id[old.id].note.front.words("reason")
    world.local.send_back(by_id[old.id], remark="Answer this one.")
    world.works()
    assert {task.id: task.has_action for task in world.tasks(Stage.PENDING_APPROVAL)}[old.id]


def test_a_mail_of_another_thread_takes_back_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receives(mail())
    world.receives(mail("Re: else", "What?", message_id="<2@e.example>", In_Reply_To="<9@elsewhere.example>"))
    world.works()
    assert goes_back(world) == 0
    assert all(task.has_action for task in world.tasks(Stage.PENDING_APPROVAL))


def test_a_second_look_reads_only_what_changed_and_knows_the_same_as_a_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, looked = World(tmp_path), Threads()
    world.receives(mail())
    world.works()
    with world.desk.vault() as vault:
        vault.refresh()
        looked.look(vault, world.clock.now())
    first = world.only(Stage.PENDING_APPROVAL)
    world.receives(mail(text="And on Monday?", message_id="<2@elsewhere.example>", References=SENT_AT))
    goes_back(world)
    world.works()
    world.local.reject(world.local.get(first.id), why="no")
    with world.desk.vault() as vault:
        vault.refresh()
        monkeypatch.setattr(threads, "near", None)
        looked.look(vault, world.clock.now())
        monkeypatch.undo()
        again = Threads()
        again.look(vault, world.clock.now())
    assert looked.mails() == again.mails()
    assert len(looked.mails()) == 2
    assert [one.message_id for one in looked.later(first.id)] == ["‹2@elsewhere.example›"]


@pytest.mark.parametrize("swapped", [False, True])
def test_of_two_mails_of_one_second_the_one_that_names_the_other_is_the_later(swapped: bool) -> None:
    now, ids = TestClock().now(), [TaskId("a" * 16), TaskId("b" * 16)]
    first, second = reversed(ids) if swapped else ids
    asks = Mail(first, now, "<1@x>", frozenset({"<0@x>"}))
    goes_on = Mail(second, now, "<2@x>", frozenset({"<0@x>", "<1@x>"}))
    assert goes_on.answers(asks)
    assert not asks.answers(goes_on)
    beside = Mail(second, now, "<3@x>", frozenset({"<0@x>"}))
    assert not beside.answers(asks)
    assert not asks.answers(beside), "neither names the other: none is taken for the newer"
