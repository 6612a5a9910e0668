"""Answers to messages are drafted on this machine, by the code that drafts mail, and leave it as a digest only."""

from __future__ import annotations

from services.local_agent.tests.cli_world import World
from services.local_agent.tests.networks.whatsapp import message
from services.local_agent.tests.test_chats import PRIVATE, all_of_the_hub, arrives, server, world  # noqa: F401

from drafting import Draft, Drafter, DrafterRefused, DrafterUnavailable, Letter, Triage
from local_agent.assemble import Local
from local_agent.chats.answering import Answering, offline
from local_agent.chats.letters import Letters
from vault_protocol import request
from vault_protocol.action import SendSealed, SendWhatsApp
from vault_protocol.task import Stage


def answering(local: Local, drafter: Drafter | None = None) -> Answering:
    return Answering(local.vault, local.settings, Letters(local.home.chats), (lambda: drafter) if drafter else offline)


class Failing:
    """A drafter that fails as it is told to."""

    def __init__(self, error: Exception) -> None:
        self.error, self.asked = error, 0

    def triage(self, letter: Letter, *, handbook: str) -> Triage:
        raise self.error

    def draft(self, letter: Letter, *, handbook: str, remark: str | None, previous: str | None) -> Draft:
        self.asked += 1
        raise self.error


def test_a_message_is_answered_by_a_draft_that_stays_on_this_machine(world: World) -> None:  # noqa: F811
    local, task = arrives(world, message())
    assert answering(local).step() == 1
    assert answering(local).step() == 0
    there = local.vault.get(task.id)
    assert there.stage is Stage.PENDING_APPROVAL
    asked = request.read(there.note)
    assert asked is not None
    assert isinstance(asked.action, SendSealed)
    words = Letters(world.home.chats).open(asked.action)
    assert (words.to, words.answers) == (message().number, message().id)
    assert "Ann Owner" in words.text
    shown = world.run("show", str(task.id)).out
    assert "Checked: number and chat" in shown
    assert "MISMATCH" not in shown
    everything = all_of_the_hub(world)
    for private in (*PRIVATE, words.text.splitlines()[0]):
        assert private.encode() not in everything


def test_a_remark_makes_another_draft_and_the_next_revision(world: World) -> None:  # noqa: F811
    local, task = arrives(world, message())
    answering(local).step()
    assert world.run("again", str(task.id), "--remark", "Tell her that Friday is fine.").code == 0
    local = world.local
    assert answering(local).step() == 1
    asked = request.read(local.vault.get(task.id).note)
    assert asked is not None
    assert isinstance(asked.action, SendSealed)
    assert local.vault.get(task.id).revision == 2
    assert "Friday" in Letters(world.home.chats).open(asked.action).text


def test_of_a_chat_that_is_shared_the_answer_stands_in_the_note(world: World) -> None:  # noqa: F811
    local, task = arrives(world, message(), "open")
    assert answering(local).step() == 1
    asked = request.read(local.vault.get(task.id).note)
    assert asked is not None
    assert isinstance(asked.action, SendWhatsApp)


def test_a_drafter_that_is_away_is_asked_again_later_and_nothing_is_lost(world: World) -> None:  # noqa: F811
    local, task = arrives(world, message())
    away = Failing(DrafterUnavailable("no answer"))
    desk = answering(local, away)
    assert (desk.step(), desk.step(), away.asked) == (0, 0, 1)
    assert local.vault.get(task.id).stage is Stage.NEEDS_ACTION


def test_what_the_drafter_cannot_answer_is_put_before_the_owner(world: World) -> None:  # noqa: F811
    local, task = arrives(world, message())
    assert answering(local, Failing(DrafterRefused("nothing"))).step() == 1
    there = local.vault.get(task.id)
    assert there.stage is Stage.PENDING_APPROVAL
    assert not there.has_action
    assert "nothing usable" in there.note.front.words("reason")


def test_a_message_whose_words_are_on_another_machine_is_left_to_that_one(world: World) -> None:  # noqa: F811
    local, task = arrives(world, message())
    (world.home.chats / "said" / f"{task.id}.json").unlink()
    assert answering(local).step() == 0
    assert local.vault.get(task.id).stage is Stage.NEEDS_ACTION
