"""What a worker has before it when it begins with a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import correspondence
from cloud_agent.keeping import RawMail
from cloud_agent.note_of_mail import text_in
from cloud_agent.watchers.mailbox_settings import WatchedMailbox
from correspondence import Automatic, Mailbox, Oddity, Original, Silence, never_answer
from correspondence.masking import masked
from drafting import Letter
from drafting import handbook as handbooks
from drafting.handbook import Rules
from vault_protocol import plain
from vault_protocol.action import SendMail
from vault_protocol.canonical import moment
from vault_protocol.errors import MalformedNote
from vault_protocol.request import read as read_request
from vault_protocol.task import Domain, Task

_HEADERS = {
    Automatic.BOUNCE: "Auto-Submitted: auto-replied (bounce)",
    Automatic.AUTO_REPLY: "Auto-Submitted: auto-replied",
    Automatic.MAILING_LIST: "List-Id",
    Automatic.NO_REPLY: "From: no-reply",
}
READ_OF_A_FILE = 100_000
"""Characters of a dropped file that a drafter is shown."""


@dataclass(frozen=True)
class Accounts:
    """Whose mail this is."""

    owner_name: str
    mailboxes: Mapping[str, WatchedMailbox]
    own_addresses: frozenset[str]

    def rules(self, handbook: str, mailbox: str) -> Rules:
        """What holds for mail to this mailbox; for one that is not watched here, what holds for all."""
        box = self.mailboxes.get(mailbox)
        return handbooks.read(
            handbooks.text_for(handbook, box.kind, box.name) if box else handbooks.in_scope(handbook, None)
        )

    def sender(self, mailbox: WatchedMailbox) -> Mailbox:
        return Mailbox(self.owner_name, mailbox.address)


@dataclass(frozen=True)
class Reading:
    """A letter to judge, and the mail it stands for: None when nothing can be answered."""

    letter: Letter
    original: Original | None = None
    mailbox: WatchedMailbox | None = None
    silence: Silence | None = None
    obstacle: str | None = None
    """Why no draft is made by itself, in our words."""
    remark: str | None = None
    """What the owner wants, when they sent a draft or a question back."""
    previous: str | None = None


def read(task: Task, *, accounts: Accounts, raw: RawMail) -> Reading:
    """The mail itself, read anew from the message on this machine; the note's text where there is none."""
    front = task.note.front
    mailbox = accounts.mailboxes.get(front.words("mailbox"))
    found = raw.find(front.words("sha256")) if task.domain is Domain.EMAIL else None
    remark, previous = front.words("remark").strip() or None, _draft_in(task)
    if found is None or mailbox is None:
        obstacle = _missing(task, mailbox)
        return Reading(_letter_of_note(task, mailbox, accounts), obstacle=obstacle, remark=remark, previous=previous)
    original, _ = masked(correspondence.read(found))
    obstacle = None
    if front.get("oversized"):
        obstacle = "the message is too large, only its headers were fetched"
    elif Oddity.ENCRYPTED in original.oddities:
        obstacle = "the message is encrypted"
    return Reading(
        letter=_letter(original, mailbox, accounts, task),
        original=original,
        mailbox=mailbox,
        silence=never_answer(original, own_addresses=accounts.own_addresses),
        obstacle=obstacle,
        remark=remark,
        previous=previous,
    )


def _missing(task: Task, mailbox: WatchedMailbox | None) -> str | None:
    if task.domain is not Domain.EMAIL:
        return None
    if mailbox is None:
        return "its mailbox is not set up on this machine"
    return "the original message is not on this machine"


def _letter(original: Original, mailbox: WatchedMailbox, accounts: Accounts, task: Task) -> Letter:
    sender = original.sender or Mailbox("", "")
    received = task.note.front.words("received")
    return Letter(
        sender_name=sender.name,
        sender_address=sender.address,
        to_account=mailbox.kind,
        mailbox=mailbox.name,
        account_name=accounts.owner_name,
        subject=original.subject,
        text=original.text,
        quoted=original.quoted,
        received=moment(received) if received else original.date,
        attachments=tuple(attached.name for attached in original.attachments),
        automatic=_HEADERS[original.automatic] if original.automatic else None,
    )


def _letter_of_note(task: Task, mailbox: WatchedMailbox | None, accounts: Accounts) -> Letter:
    return Letter(
        sender_name="",
        sender_address="",
        to_account=mailbox.kind if mailbox else "business",
        mailbox=mailbox.name if mailbox else "",
        account_name=accounts.owner_name,
        subject=task.note.front.words("subject") or task.note.front.words("name"),
        text=plain.visible(text_in(task.note))[:READ_OF_A_FILE],
    )


def _draft_in(task: Task) -> str | None:
    try:
        earlier = read_request(task.note)
    except MalformedNote:
        return None
    return earlier.action.text if earlier and isinstance(earlier.action, SendMail) else None
