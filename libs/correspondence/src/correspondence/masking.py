"""Secrets of well-known forms, taken out of what a mail says. Both agents read a mail through this."""

from __future__ import annotations

from dataclasses import replace

from correspondence.mailbox import Mailbox
from correspondence.original import Original
from vault_protocol import scan


def masked(original: Original) -> tuple[Original, tuple[str, ...]]:
    """The mail with every well-known secret in it replaced by its kind, and the kinds, each once."""
    kinds: dict[str, None] = {}

    def mask(text: str) -> str:
        clean, found = scan.mask(text)
        kinds.update(dict.fromkeys(found))
        return clean

    def box(mailbox: Mailbox) -> Mailbox:
        return replace(mailbox, name=mask(mailbox.name))

    safe = replace(
        original,
        sender=box(original.sender) if original.sender else None,
        reply_to=tuple(map(box, original.reply_to)),
        to=tuple(map(box, original.to)),
        cc=tuple(map(box, original.cc)),
        subject=mask(original.subject),
        text=mask(original.text),
        quoted=mask(original.quoted),
        attachments=tuple(replace(attached, name=mask(attached.name)) for attached in original.attachments),
    )
    return safe, tuple(kinds)
