"""The owner's handbook at work: real notes through the real worker, and what it could not understand."""

from pathlib import Path

from services.cloud_agent.tests.world import World, mail

from vault_protocol.request import read as request_of
from vault_protocol.task import Stage

RULES = "# Company Handbook\n\n## Rules\n\n- Never draft for: elsewhere.example\n- Owner only: legal\n"


def test_nothing_is_drafted_for_whom_the_owner_never_answers(tmp_path: Path) -> None:
    world = World(tmp_path, handbook=RULES)
    world.receives(mail())
    world.works()
    task = world.only(Stage.PENDING_APPROVAL)
    assert request_of(task.note) is None
    assert task.note.front.words("reason").startswith("line 5 of your handbook: never draft for this")
    world.local.send_back(task, remark="Answer them all the same.")
    world.works()
    assert request_of(world.only(Stage.PENDING_APPROVAL).note) is None
    assert world.drafter.drafted == []


def test_a_topic_of_the_owners_is_put_before_them_at_once(tmp_path: Path) -> None:
    world = World(tmp_path, handbook=RULES)
    world.receives(mail(text="Our lawyer has a question.", sender="A <a@b.example>"))
    world.works()
    front = world.only(Stage.PENDING_APPROVAL).note.front
    assert (front.words("type"), front.words("priority")) == ("question", "high")


def test_a_line_that_is_not_understood_is_told_once_for_each_version_of_the_handbook(tmp_path: Path) -> None:
    world = World(tmp_path, handbook=RULES + "- Dance on Mondays\n")
    world.works()
    world.start()
    world.works()
    told = [(event, facts.get("line"), facts.get("why")) for event, facts in world.updates() if "handbook" in event]
    assert told == [("handbook-unread", "7", "unknown-effect"), ("handbook-read", None, None)]
    world.local.refresh()
    world.local.write("edit", "handbook", {"Company_Handbook.md": RULES.encode()})
    world.works()
    assert [facts["unread"] for event, facts in world.updates() if event == "handbook-read"] == ["1", "0"]


def test_a_rule_for_a_mailbox_that_nobody_watches_is_told(tmp_path: Path) -> None:
    text = (
        RULES
        + "- Always ask: mailbox bussiness\n- Always ask: mailbox business\n\n## Tone (mailbox shop)\n\n- Short.\n"
    )
    world = World(tmp_path, handbook=text)
    world.works()
    told = [(facts["line"], facts["why"]) for event, facts in world.updates() if event == "handbook-unread"]
    assert told == [("7", "unknown-mailbox"), ("10", "unknown-mailbox")]


def test_a_handbook_that_is_understood_is_not_talked_about(tmp_path: Path) -> None:
    world = World(tmp_path, handbook=RULES)
    world.works()
    assert [event for event, _ in world.updates() if "handbook" in event] == []
