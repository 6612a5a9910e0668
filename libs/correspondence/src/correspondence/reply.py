"""The envelope of an answer: recomputed from the original, so that nobody else can choose it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from correspondence.characters import one_line
from correspondence.mailbox import Mailbox, safe_address
from correspondence.oddity import Oddity
from correspondence.original import Original
from correspondence.threads import bounded, is_id

MOST_REFERENCES = 20
MOST_QUOTED_LINES = 200
LONGEST_QUOTED_NAME = 80
REPLY_PREFIX = re.compile(
    r"(?:re|aw|sv|antw|odp|res|rif)\s?(?:[\[(]\d{1,3}[\])])?\s?[:\uff1a]\s?", re.IGNORECASE | re.ASCII
)
# What says something about where an answer goes, or about who asked for it.
CONCERNS_REPLY = frozenset(
    [
        Oddity.SEVERAL_SENDERS,
        Oddity.BAD_ADDRESS,
        Oddity.NO_MESSAGE_ID,
        Oddity.DUPLICATE_HEADERS,
        Oddity.REPLY_TO_DIFFERS,
        Oddity.REPLY_TO_OTHER_DOMAIN,
        Oddity.LOOK_ALIKE,
        Oddity.NAME_CONTAINS_ADDRESS,
        Oddity.MANY_RECIPIENTS,
    ]
)


class NoReplyAddress(Exception):
    """The original gives no usable address to answer to."""


class Caution(StrEnum):
    """What the owner should know of an answer beside the oddities of the original; `sentence` says it."""

    sentence: str

    def __new__(cls, value: str, sentence: str) -> Caution:
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member

    REPLY_ALL_POSSIBLE = (
        "reply_all_possible",
        "Others have this mail too; the answer goes to its sender alone.",
    )
    SEVERAL_ADDRESSES = "several_addresses", "The answer goes to more than one address."
    WRITTEN_BY_A_MACHINE = "written_by_a_machine", "A machine seems to have written this mail."


@dataclass(frozen=True)
class Envelope:
    """Everything of an answer but its text; `also` are those whom only an answer to all would reach."""

    sender: Mailbox
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    also: tuple[Mailbox, ...]
    subject: str
    in_reply_to: str | None
    references: tuple[str, ...]
    quote: str
    warnings: tuple[Oddity | Caution, ...]


def answer(original: Original, *, account: Mailbox, own_addresses: frozenset[str]) -> Envelope:
    """The envelope of an answer to Reply-To, or else to the sender; raises NoReplyAddress."""
    own = {account.address.lower(), *(address.lower() for address in own_addresses)}
    asked = original.reply_to or ((original.sender,) if original.sender else ())
    to = _others(asked, own)
    if not to:
        reason = "only our own addresses are given" if asked else "neither From nor Reply-To holds a usable address"
        raise NoReplyAddress(f"no address to answer to: {reason}")
    sender = (original.sender,) if original.sender else ()
    also = _others((*sender, *original.to, *original.cc), own | {mailbox.address.lower() for mailbox in to})
    return Envelope(
        sender=_clean(account),
        to=to,
        cc=(),
        also=also,
        subject=reply_subject(original.subject),
        in_reply_to=original.message_id,
        references=_references(original),
        quote=quote(original),
        warnings=_warnings(original, to, also),
    )


def reply_subject(subject: str) -> str:
    """The subject with one "Re: " before it, however many and whatever kind it had."""
    rest = one_line(subject, set(), limit=len(subject))
    while match := REPLY_PREFIX.match(rest):
        rest = rest[match.end() :].lstrip()
    return f"Re: {rest}" if rest else "Re: (no subject)"


def quote(original: Original) -> str:
    """The new text of the original behind > marks, at most 200 lines, below a line that says who wrote it."""
    if not original.text:
        return ""
    sender = original.sender
    name = one_line((sender.name or sender.address) if sender else "", set(), limit=LONGEST_QUOTED_NAME)
    when = f"On {original.date:%Y-%m-%d %H:%M} UTC, " if original.date else ""
    lines = original.text.split("\n")
    quoted = [f"> {line}".rstrip() if not line.startswith(">") else f">{line}" for line in lines[:MOST_QUOTED_LINES]]
    left_out = len(lines) - MOST_QUOTED_LINES
    if left_out > 0:
        quoted.append(f"> [{left_out} more lines left out]")
    return "\n".join([f"{when}{name or 'someone'} wrote:", *quoted])


def _others(mailboxes: tuple[Mailbox, ...], without: set[str]) -> tuple[Mailbox, ...]:
    others: dict[str, Mailbox] = {}
    for mailbox in mailboxes:
        key = mailbox.address.lower()
        if key not in without and safe_address(mailbox.address):
            others.setdefault(key, _clean(mailbox))
    return tuple(others.values())


def _clean(mailbox: Mailbox) -> Mailbox:
    return Mailbox(one_line(mailbox.name, set(), limit=len(mailbox.name)), mailbox.address)


def _references(original: Original) -> tuple[str, ...]:
    before = original.references or ((original.in_reply_to,) if original.in_reply_to else ())
    thread = dict.fromkeys(reference for reference in before if is_id(reference) and reference != original.message_id)
    return bounded((*thread, *((original.message_id,) if original.message_id else ())), MOST_REFERENCES)


def _warnings(original: Original, to: tuple[Mailbox, ...], also: tuple[Mailbox, ...]) -> tuple[Oddity | Caution, ...]:
    cautions = {
        Caution.REPLY_ALL_POSSIBLE: bool(also),
        Caution.SEVERAL_ADDRESSES: len(to) > 1,
        Caution.WRITTEN_BY_A_MACHINE: original.automatic is not None,
    }
    return (
        *(oddity for oddity in original.oddities if oddity in CONCERNS_REPLY),
        *(caution for caution, holds in cautions.items() if holds),
    )
