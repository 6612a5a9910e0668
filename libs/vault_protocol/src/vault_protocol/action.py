"""What may be done to the world, as typed values with one byte string each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic import ValidationError

from .action_base import ActionBase, BadAction
from .books_action import InvoiceLine, Journal, Party, PostInvoice, RegisterPayment
from .mail_action import Address, Attachment, Forwarded, ForwardMail, Mail, MailAction, SendMail
from .payment_action import PayTransfer
from .social_action import Media, PublishPost
from .whatsapp_action import SendSealed, SendWhatsApp

__all__ = [
    "ACTIONS",
    "Action",
    "ActionBase",
    "Address",
    "Attachment",
    "BadAction",
    "ForwardMail",
    "Forwarded",
    "InvoiceLine",
    "Journal",
    "Mail",
    "MailAction",
    "Media",
    "Party",
    "PayTransfer",
    "PostInvoice",
    "PublishPost",
    "RegisterPayment",
    "SendMail",
    "SendSealed",
    "SendWhatsApp",
    "action_of",
]

Action: TypeAlias = (
    SendMail | ForwardMail | PostInvoice | RegisterPayment | PayTransfer | PublishPost | SendWhatsApp | SendSealed
)
"""The union of all actions; it grows by one class and one line in `ACTIONS` for each kind of effect."""

ACTIONS: Mapping[str, type[Action]] = {
    "send_mail": SendMail,
    "forward_mail": ForwardMail,
    "post_invoice": PostInvoice,
    "register_payment": RegisterPayment,
    "pay_transfer": PayTransfer,
    "publish_post": PublishPost,
    "send_whatsapp": SendWhatsApp,
    "send_sealed": SendSealed,
}


def action_of(fields: Mapping[str, Any], **prose: str) -> Action:
    """The action these fields and texts stand for. Raises BadAction that says which field and why."""
    kind = ACTIONS.get(str(fields.get("type")))
    if kind is None:
        raise BadAction(f"no such action: {fields.get('type')!r}; known are {', '.join(ACTIONS)}")
    clash = [name for name in kind.prose if name in fields]
    if clash:
        raise BadAction(f"{clash[0]} belongs in the text of the note, not in its JSON block")
    try:
        return kind.model_validate({**fields, **prose})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "action"
        raise BadAction(f"{where}: {first['msg']}") from None
