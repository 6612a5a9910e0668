"""A mail as it was received."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from correspondence.attachments import Attachment, describe
from correspondence.automatic import calendar_method, list_named, recognise
from correspondence.characters import one_line
from correspondence.dates import read_date
from correspondence.headers import decode_words
from correspondence.imitation import examine
from correspondence.mailbox import Mailbox, read_mailboxes
from correspondence.mime import Part, read_parts
from correspondence.oddity import Automatic, Oddity, in_order
from correspondence.parameters import Structured
from correspondence.quote import split
from correspondence.text import body_parts, file_parts, readable
from correspondence.threads import read_ids

LONGEST_SUBJECT = 500
MANY = 20
ONCE = (
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
)
FORWARDED = re.compile(r"(?:fwd?|wg|tr|rv|enc|vl|doorst)\s*:", re.IGNORECASE)
CRYPTIC = frozenset(
    ["multipart/encrypted", "application/pgp-encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"]
)
SIGNATURES = frozenset(["application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"])

NESTED = ("message/rfc822", "message/partial", "message/external-body", "message/global")


@dataclass(frozen=True)
class Original:
    """A mail as it was received: every string is clean, every list bounded, nothing was fetched."""

    message_id: str | None
    sha256: str
    sender: Mailbox | None
    reply_to: tuple[Mailbox, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    subject: str
    date: datetime | None
    in_reply_to: str | None
    references: tuple[str, ...]
    text: str
    quoted: str
    attachments: tuple[Attachment, ...]
    automatic: Automatic | None
    oddities: tuple[Oddity, ...]
    mailing_list: str = ""
    """The name that its List-Id gives, a host's name by its form; anybody can write one."""


def read(raw: bytes) -> Original:
    """Read a mail; whatever the bytes are, this never raises."""
    found: set[Oddity] = set()
    digest = hashlib.sha256(raw).hexdigest()
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    headers, content_type, parts = read_parts(raw, found)
    senders = read_mailboxes(headers.first("from"), found)
    sender = senders[0] if senders else None
    reply_to = read_mailboxes(headers.first("reply-to"), found)
    to, cc = read_mailboxes(headers.first("to"), found), read_mailboxes(headers.first("cc"), found)
    message_id = next(iter(read_ids(headers.first("message-id"))), None)
    date = read_date(headers.first("date"))
    subject = one_line(decode_words(headers.first("subject"), found), found, limit=LONGEST_SUBJECT)
    body = body_parts(parts)
    text = readable(body, found)
    halves = split(text, forwarded=FORWARDED.match(subject) is not None)
    attached = enumerate(file_parts(parts), 1)
    attachments = tuple(describe(part, part.content(found), n, found) for n, part in attached)
    found |= examine(sender, reply_to) | _kinds(content_type, parts, text)
    claims = {
        Oddity.NO_SENDER: sender is None,
        Oddity.SEVERAL_SENDERS: len(senders) > 1,
        Oddity.NO_MESSAGE_ID: message_id is None,
        Oddity.NO_DATE: date is None,
        Oddity.MANY_RECIPIENTS: len(to) + len(cc) > MANY,
        Oddity.DUPLICATE_HEADERS: any(headers.count(name) > 1 for name in ONCE),
    }
    found |= {oddity for oddity, holds in claims.items() if holds}
    return Original(
        message_id=message_id,
        sha256=digest,
        sender=sender,
        reply_to=reply_to,
        to=to,
        cc=cc,
        subject=subject,
        date=date,
        in_reply_to=next(iter(read_ids(headers.first("in-reply-to"))), None),
        references=read_ids(headers.first("references")),
        text=halves.new,
        quoted=halves.quoted,
        attachments=attachments,
        automatic=recognise(headers, content_type, parts, sender),
        mailing_list=list_named(headers),
        oddities=in_order(found),
    )


def _kinds(content_type: Structured, parts: Sequence[Part], text: str) -> set[Oddity]:
    types = {content_type.value}
    types.update(part.media_type for part in parts)
    types.update(around for part in parts for around in part.inside)
    only_signed = any("signed" in part.type.get("smime-type").lower() for part in parts)
    signs = not types.isdisjoint(SIGNATURES) or only_signed or "-----BEGIN PGP SIGNED MESSAGE-----" in text
    encrypts = not types.isdisjoint(CRYPTIC) and not only_signed
    claims = {
        Oddity.INVITATION: any(calendar_method(part) == "request" for part in parts),
        Oddity.NESTED_MESSAGE: any(kind in types for kind in NESTED),
        Oddity.ENCRYPTED: encrypts or "-----BEGIN PGP MESSAGE-----" in text,
        Oddity.SIGNED: signs or "multipart/signed" in types,
    }
    return {oddity for oddity, holds in claims.items() if holds}
