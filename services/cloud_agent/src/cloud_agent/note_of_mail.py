"""A mail as a note. Whatever a stranger wrote stands inside fences, or on one inert line of front matter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cloud_agent import threads
from cloud_agent.watchers.mailbox_settings import WatchedMailbox
from correspondence import Mailbox, Original
from drafting import Triage
from vault_protocol import plain
from vault_protocol.canonical import utc
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note

ORIGINAL = "## Original"
TRIAGE = "## Triage"


def note_of(
    original: Original,
    *,
    mailbox: WatchedMailbox,
    received: datetime,
    removed: tuple[str, ...] = (),
    repeated: bool = False,
    oversized: bool = False,
) -> Note:
    """The note of a masked mail. `removed`: kinds of secrets; `repeated`: the Message-ID was taken."""
    sender = original.sender
    front = FrontMatter().put(
        type="email",
        mailbox=mailbox.name,
        account=mailbox.kind,
        **{"from": plain.one_line(shown(sender)) if sender else "unknown"},
        subject=plain.one_line(original.subject) or "(no subject)",
        received=utc(received),
        priority="normal",
        message_id=plain.message_id_shown(original.message_id or "") or None,
        thread=threads.ids_of(original) or None,
        list=original.mailing_list or None,
        sha256=original.sha256,
        oddities=[oddity.value for oddity in original.oddities] or None,
        secrets_removed=list(removed) or None,
        repeated_message_id=repeated or None,
        oversized=oversized or None,
    )
    return Note(front, f"\n# Mail to the {mailbox.kind} account\n\n{_original(original)}")


def shown(mailbox: Mailbox) -> str:
    """`Name <address>`, or the address alone."""
    return f"{mailbox.name} <{mailbox.address}>" if mailbox.name else mailbox.address


def with_triage(note: Note, triage: Triage) -> Note:
    """The note with this judgement above everything that came from outside, in the place of an earlier one."""
    reason = plain.one_line(triage.reason) or "no reason given"
    line = f"{triage.kind.value}, priority {triage.priority.value}, by {plain.one_line(triage.by, 60)}: {reason}"
    head, found, rest = note.body.partition(f"\n{TRIAGE}\n\n")
    if found and "```" not in head:
        _, _, rest = rest.partition("\n")
    else:
        title, _, rest = note.body.lstrip("\n").partition("\n")
        head, rest = (f"\n{title}\n", rest) if title.startswith("# ") else ("", note.body)
    rest = rest.lstrip("\n")
    return note.with_body(f"{head}\n{TRIAGE}\n\n{line}\n\n{rest}")


def text_in(note: Note) -> str:
    """What came from outside in a note, as it stands there, fences and all."""
    _, found, rest = f"\n{note.body}".partition(f"\n{ORIGINAL}\n")
    return rest if found else note.body


def _original(original: Original) -> str:
    parts = [ORIGINAL, "", plain.fenced("\n".join(_headers(original)))]
    parts += ["### Text", "", plain.fenced(_visible(original.text or "(no text)"))]
    if original.quoted:
        parts += ["### Quoted", "", plain.fenced(_visible(original.quoted))]
    if original.attachments:
        lines = [
            f"{attached.name}  ({attached.media_type}, {attached.size} bytes, sha256 {attached.sha256})"
            for attached in original.attachments
        ]
        parts += ["### Attachments", "", plain.fenced(_visible("\n".join(lines)))]
    return "\n".join(parts)


def _headers(original: Original) -> Iterable[str]:
    boxes = {
        "From": (original.sender,) if original.sender else (),
        "Reply-To": original.reply_to,
        "To": original.to,
        "Cc": original.cc,
    }
    for name, mailboxes in boxes.items():
        if mailboxes:
            yield _visible(f"{name}: {', '.join(map(shown, mailboxes))}")
    if original.date:
        yield f"Date: {utc(original.date)}"
    yield _visible(f"Subject: {original.subject}")


def _visible(text: str) -> str:
    return plain.visible(text)
