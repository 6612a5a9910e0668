"""Mail that must never be answered by a machine."""

from __future__ import annotations

from enum import StrEnum

from correspondence.automatic import is_no_reply
from correspondence.original import Original


class Silence(StrEnum):
    """Why a mail must never get an automatic draft."""

    OWN_MAIL = "own_mail"
    NO_REPLY_ADDRESS = "no_reply_address"
    BOUNCE = "bounce"
    AUTO_REPLY = "auto_reply"
    MAILING_LIST = "mailing_list"
    NO_REPLY = "no_reply"


def never_answer(original: Original, *, own_addresses: frozenset[str]) -> Silence | None:
    """Why this mail must not get an automatic draft, None when it may: two machines never stop talking."""
    own = {address.lower() for address in own_addresses}
    if original.sender and original.sender.address.lower() in own:
        return Silence.OWN_MAIL
    if original.automatic:
        return Silence(original.automatic.value)
    targets = original.reply_to or ((original.sender,) if original.sender else ())
    if not targets:
        return Silence.NO_REPLY_ADDRESS
    if all(mailbox.address.lower() in own for mailbox in targets):
        return Silence.OWN_MAIL
    return Silence.NO_REPLY if any(is_no_reply(mailbox) for mailbox in targets) else None
