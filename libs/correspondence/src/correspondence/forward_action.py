"""The one way a mail that is passed on becomes an action: all but the owner's own note comes from the mail itself.

Local makes the draft with it, and again when it holds a draft against the mailbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from correspondence.enclosing import File
from correspondence.forward import files, forward_subject, passed_on
from correspondence.mailbox import Mailbox
from correspondence.masking import masked
from correspondence.original import Original, read
from vault_protocol.action import Address, Attachment, Forwarded, ForwardMail
from vault_protocol.canonical import sha256

MOST_FILES = 20
MOST_BYTES = 18 * 1024 * 1024
"""Of all files of one mail; base64 makes 25 MB of them, which is what most servers take."""


class CannotForward(Exception):
    """This mail cannot be passed on; the message says why."""


@dataclass(frozen=True)
class Forward:
    """`files` are the bytes of the action's attachments, in their order; `removed` names secrets that were masked."""

    action: ForwardMail
    original: Original
    files: tuple[File, ...]
    removed: tuple[str, ...]


def forward_action(raw: bytes, *, account: str, sender: Mailbox, to: Sequence[str], text: str) -> Forward:
    """`raw` passed on to the addresses `to` below the note `text`, which may be empty. Raises CannotForward."""
    original, removed = masked(read(raw))
    if original.message_id is None:
        raise CannotForward("it has no usable Message-ID, by which it could be found again")
    enclosed = files(raw, original)
    if len(enclosed) > MOST_FILES:
        raise CannotForward(f"it has {len(enclosed)} files; a mail of ours carries {MOST_FILES} at most")
    if (total := sum(len(file.content) for file in enclosed)) > MOST_BYTES:
        raise CannotForward(f"its files are {total} bytes; a mail of ours carries {MOST_BYTES} at most")
    try:
        action = ForwardMail(
            account=account, sender=Address(name=sender.name, address=sender.address),
            to=tuple(Address(address=address) for address in to), subject=forward_subject(original.subject),
            original=Forwarded(message_id=original.message_id, sha256=original.sha256),
            attachments=tuple(map(described, enclosed)), text=f"{text.rstrip()}\n" if text.strip() else "",
            quote=passed_on(original).rstrip("\n") + "\n",
        )  # fmt: skip
    except ValueError as error:
        raise CannotForward(f"it does not hold as a draft: {error}") from None
    return Forward(action, original, enclosed, removed)


def described(file: File) -> Attachment:
    """As a draft names it."""
    return Attachment(name=file.name, media_type=file.media_type, size=len(file.content), sha256=sha256(file.content))
