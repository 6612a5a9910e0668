"""The one way a reply becomes an action: everything but its text comes from code that read the original.

Cloud uses it to draft, Local uses it again on the original it fetched itself, and compares.
"""

from __future__ import annotations

from correspondence.mailbox import Mailbox
from correspondence.oddity import Oddity
from correspondence.original import Original
from correspondence.reply import Caution, answer
from vault_protocol.action import Address, SendMail


def reply_action(
    original: Original, *, account: str, sender: Mailbox, own_addresses: frozenset[str], text: str
) -> tuple[SendMail, tuple[Oddity | Caution, ...]]:
    """The reply to `original` with this text, and what the owner should look at twice.

    Raises NoReplyAddress when there is nobody to answer.
    """
    envelope = answer(original, account=sender, own_addresses=own_addresses)
    action = SendMail(
        account=account,
        sender=_address(envelope.sender),
        to=tuple(_address(box) for box in envelope.to),
        cc=tuple(_address(box) for box in envelope.cc),
        subject=envelope.subject,
        in_reply_to=envelope.in_reply_to,
        references=envelope.references,
        text=_one_newline(text),
        quote=_one_newline(envelope.quote),
    )
    return action, tuple(dict.fromkeys((*original.oddities, *envelope.warnings)))


def _address(box: Mailbox) -> Address:
    return Address(name=box.name, address=box.address)


def _one_newline(text: str) -> str:
    return text.rstrip("\n") + "\n" if text.strip("\n") else ""
