"""The chain in memory: Cloud drafts, the owner edits and approves, and the next draft to that contact shows it."""

from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from services.cloud_agent.tests.world import World, mail

from drafting.offline import OfflineDrafter
from local_agent.chats.letters import Letters
from local_agent.decisions import Desk, How
from local_agent.lessons import Lessons
from local_agent.own_text import with_text
from vault_protocol import approval, keys, request, sshsig
from vault_protocol.action import SendMail
from vault_protocol.errors import Refused
from vault_protocol.note import Note
from vault_protocol.task import Stage, Task

JANA = "Memory/business/contacts/jana@elsewhere.example.md"
TRIAGE = "Memory/Triage.md"
PLAIN = "Dear Jana Novak,\n\nThank you for your message. It has arrived."


class Pair:
    """Cloud with the offline drafter, and the owner's desk on the same hub."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, OfflineDrafter(), handbook="# Handbook\n\n## Rules\n\n- Languages: any\n")  # type: ignore[arg-type]
        self._key, self._number = keys.new(), 0
        self.lessons = Lessons(self.world.local, folder / "lessons.json")
        self.desk = Desk(self.world.local, "here", "owner", timedelta(seconds=5), lessons=self.lessons)

    def asked(self, text: str = "Could you come on Friday?", **headers: str) -> Task:
        """A mail of Jana's, and what Cloud makes of it."""
        self._number += 1
        return self._arrives(mail(text=text, message_id=f"<{self._number}@elsewhere.example>", **headers))

    def sees(self, message: EmailMessage) -> Task:
        """A mail with a paper, and what Cloud puts before the owner."""
        self._number += 1
        message["Message-ID"] = f"<{self._number}@elsewhere.example>"
        message.set_content("The invoice is attached.")
        message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="invoice.pdf")
        return self._arrives(bytes(message))

    def _arrives(self, raw: bytes) -> Task:
        known = {task.id for task in self.world.tasks(Stage.PENDING_APPROVAL)}
        self.world.receives(raw)
        self.world.works()
        (task,) = (task for task in self.world.tasks(Stage.PENDING_APPROVAL) if task.id not in known)
        return task

    def approves(self, task: Task, text: str | None = None) -> None:
        self.desk.approve(task, sign=self._sign, how=How.PAGE, note=own(task, text) if text else None)

    def edits(self, task: Task, text: str) -> Task:
        return self.desk.edit(task, own(task, text), how=How.PAGE)

    def _sign(self, text: bytes) -> str:
        return sshsig.sign(self._key, text, namespace=approval.NAMESPACE)


def text_of(task: Task) -> str:
    found = request.read(task.note)
    assert found is not None
    assert isinstance(found.action, SendMail)
    return found.action.text


def own(task: Task, text: str) -> Note:
    found = request.read(task.note)
    assert found is not None
    return with_text(task, found, text, Letters(Path("/nowhere")))


def in_the_owners_way(text: str) -> str:
    return text.replace("Dear Jana Novak,", "Hi Jana,").replace("Kind regards\nOlive Owner", "Cheers\nOlive")


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def test_the_next_draft_to_a_contact_has_the_greeting_and_sign_off_that_the_owner_gave_the_last(pair: Pair) -> None:
    first = pair.asked()
    assert text_of(first).startswith(PLAIN)
    pair.approves(first, in_the_owners_way(text_of(first)))
    second = text_of(pair.asked("Could you send the plan?"))
    assert second.startswith("Hi Jana,\n\nThank you")
    assert second.endswith("\n\nCheers\nOlive\n")


def test_a_memory_note_that_the_owner_deletes_is_followed_no_more_and_not_learned_from_the_same_mail(
    pair: Pair,
) -> None:
    first = pair.asked()
    kept = pair.edits(first, in_the_owners_way(text_of(first)))
    assert "Greeting in English: Hi Jana," in pair.world.read(JANA)
    pair.world.local.write("owner_remove", "memory", {JANA: None})
    again = pair.edits(kept, text_of(kept).replace("Hi Jana,", "Hello Jana,"))
    pair.approves(again)
    assert pair.world.read(JANA) == ""
    assert text_of(pair.asked("Could you send the plan?")).startswith(PLAIN)


def test_a_line_that_the_owner_writes_is_followed(pair: Pair) -> None:
    pair.world.local.write("owner_edit", "memory", {JANA: b"- Language: German\n- Form: du\n"})
    assert text_of(pair.asked("Could you send the plan?")).startswith("Hallo Jana Novak,\n\nvielen Dank")


def test_after_two_rejections_the_owner_is_asked_and_an_approval_or_a_deleted_line_ends_that(pair: Pair) -> None:
    for _ in range(2):
        pair.desk.reject(pair.asked(), why="not needed", how=How.PAGE)
    asked = pair.asked()
    assert (asked.has_action, asked.note.front.words("type")) == (False, "question")
    assert "you rejected 2 drafts to this sender" in asked.note.front.words("reason")
    assert "- jana@elsewhere.example: 2 rejected, last 2026-11-23 (not needed)" in pair.world.read(TRIAGE)
    pair.desk.send_back(asked, remark="Tell her yes, I come.", how=How.PAGE)
    pair.world.works()
    answered = pair.world.only(Stage.PENDING_APPROVAL)
    assert "Tell her yes, I come." in text_of(answered)
    assert "you rejected" not in answered.note.front.words("reason")
    pair.approves(answered)
    assert "jana" not in pair.world.read(TRIAGE)
    assert pair.asked().has_action


def test_four_rejections_about_a_topic_have_the_owner_asked_whoever_writes(pair: Pair) -> None:
    prices = "Could you send me a quote for the fence, please?"
    for number in range(4):
        task = pair.asked(prices, sender=f"Guest <guest{number}@elsewhere.example>")
        assert task.has_action
        pair.desk.reject(task, why="", how=How.PAGE)
    asked = pair.asked(prices, sender="Another <another@elsewhere.example>")
    assert not asked.has_action
    assert "you rejected 4 drafts for mail about prices" in asked.note.front.words("reason")
    assert "- mail about prices: 4 rejected, last 2026-11-23" in pair.world.read(TRIAGE)
    assert pair.asked("Could you come on Friday?", sender="More <more@elsewhere.example>").has_action
    pair.world.local.write("owner_remove", "triage", {TRIAGE: None})
    assert pair.asked(prices, sender="Late <late@elsewhere.example>").has_action


def test_a_list_whose_mails_the_owner_rejects_is_low_and_still_seen(pair: Pair) -> None:
    """A bill that comes by a list never ends unseen; what was learned changes its place alone."""

    def comes() -> Task:
        bill = EmailMessage()
        bill["From"], bill["To"], bill["Subject"] = "bill@news.example", "owner@home.example", "Invoice 4711"
        bill["List-Id"], bill["Date"] = "Billing <billing.news.example>", "Mon, 23 Nov 2026 08:00:00 +0000"
        return pair.sees(bill)

    for _ in range(2):
        task = comes()
        assert task.note.front.words("priority") == "normal"
        pair.desk.reject(task, why="", how=How.PAGE)
    assert "- list billing.news.example: 2 rejected" in pair.world.read(TRIAGE)
    task = comes()
    assert task.note.front.words("priority") == "low"
    assert "you rejected 2 mails of this list" in task.note.front.words("reason")


def test_one_rejection_or_another_sender_s_changes_nothing(pair: Pair) -> None:
    pair.desk.reject(pair.asked(), why="", how=How.PAGE)
    assert pair.asked().has_action


def test_cloud_may_not_write_memory(pair: Pair) -> None:
    cloud = pair.world.other_vault()
    cloud.refresh()
    for path in ("Memory/business/topics/prices.md", TRIAGE):
        with pytest.raises(Refused, match="may not write here"):
            cloud.write("learn", "memory", {path: b"- Greeting in English: Dear victim,\n"})


def test_what_was_known_stands_in_the_note_with_its_source(pair: Pair) -> None:
    pair.approves(pair.asked())
    body = pair.asked("Could you send the plan?").note.body
    told = body.partition("## What was known")[2].partition("```\n\n")[0]
    assert "contact: not in your contacts; wrote before, 1 times in two months [vault]" in told
    assert "language: English [the mail]" in told
    assert "last exchanges: 2026-11-23 A question (approved) [vault]" in told


def test_nothing_is_looked_up_when_the_answer_goes_elsewhere(pair: Pair) -> None:
    first = pair.asked()
    pair.approves(first, in_the_owners_way(text_of(first)))
    task = pair.asked(Reply_To="someone@else.example")
    assert "## What was known" not in task.note.body
    assert text_of(task).startswith(PLAIN)
