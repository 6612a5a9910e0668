"""The notes a worker hands on: a draft with its action, a question to the owner, or a task that is over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from cloud_agent.note_of_mail import with_triage
from cloud_agent.reading import Accounts
from cloud_agent.watchers.mailbox_settings import WatchedMailbox
from correspondence import Original
from correspondence.reply_action import reply_action
from drafting import Draft, Triage
from vault_protocol import plain, request, scan
from vault_protocol.action import BadAction, SendMail
from vault_protocol.canonical import utc
from vault_protocol.note import LIMIT, Note
from vault_protocol.request import Request
from vault_protocol.task import Task

STALE_AFTER = timedelta(hours=24)


class Unanswerable(Exception):
    """No action can be made of this draft; the message is for the owner."""


def action_of(
    draft: Draft, original: Original, *, mailbox: WatchedMailbox, accounts: Accounts
) -> tuple[SendMail, tuple[str, ...]]:
    """The action and what its addresses give to think. Raises NoReplyAddress, Unanswerable."""
    text, removed = scan.mask(plain.visible(draft.text))
    try:
        action, found = reply_action(
            original,
            account=mailbox.name,
            sender=accounts.sender(mailbox),
            own_addresses=accounts.own_addresses,
            text=text,
        )
    except ValueError:
        raise Unanswerable("no sendable answer can be made of the draft and this mail") from None
    cut = [f"What looked like a secret was taken out of the draft: {kind}." for kind in dict.fromkeys(removed)]
    return action, (*(what.sentence for what in found), *cut)


def standing_warnings(task: Task) -> tuple[str, ...]:
    """What was noticed when the mail came in and its original does not show again."""
    front, found = task.note.front, []
    if front.get("repeated_message_id"):
        found.append("Another mail came with the same Message-ID and other content.")
    removed = front.get("secrets_removed")
    if isinstance(removed, list) and removed:
        found.append(f"What looked like a secret was taken out: {', '.join(map(str, removed))}.")
    return tuple(found)


def with_draft(
    task: Task, action: SendMail, triage: Triage, draft: Draft, warnings: Iterable[str], *, token: str, now: datetime
) -> Note:
    """The note that asks for approval. Raises Unanswerable when it would be no note any more."""
    unknowns = _lines(draft.unknowns)
    note = with_triage(task.note, triage).put(
        type="approval",
        recipient=plain.one_line(", ".join(map(str, (*action.to, *action.cc)))),
        reason=plain.one_line(triage.reason),
        created=utc(now),
        stale_after=utc(now + STALE_AFTER),
        priority=triage.priority.value,
        drafted_by=plain.one_line(draft.by, 80),
        drafted_because=plain.one_line(draft.because, 120) or None,
        unknowns=len(unknowns) or None,
    )
    try:
        note = request.put(note, Request(token, action, _lines((*warnings, *draft.warnings)), unknowns))
    except BadAction as error:
        raise Unanswerable(str(error)) from None
    if len(note.content()) > LIMIT:
        raise Unanswerable("the mail with its answer is too long for a note")
    return note


def _lines(texts: Iterable[str]) -> tuple[str, ...]:
    """Each on one inert line, each once."""
    lines = (plain.one_line(scan.mask(text)[0]) for text in texts)
    return tuple(dict.fromkeys(line for line in lines if line))


def with_question(task: Task, triage: Triage, reason: str, *, now: datetime) -> Note:
    """The note that asks the owner what to do, with nothing to approve in it."""
    note = request.take_out(with_triage(task.note, triage))
    return note.put(
        type="question", reason=plain.one_line(reason), created=utc(now), priority=triage.priority.value,
        recipient=None, stale_after=None, drafted_by=None, drafted_because=None, unknowns=None,
    )  # fmt: skip


def closed(task: Task, triage: Triage) -> Note:
    """The note of a task that wants nothing."""
    return with_triage(task.note, triage).put(reason=plain.one_line(triage.reason), priority=triage.priority.value)
