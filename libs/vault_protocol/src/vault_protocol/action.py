"""What may be done to the world, as typed values with one byte string each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, ValidationError, model_validator

from .action_base import ActionBase, BadAction, Body, Hex64, Line, Strict
from .books_action import InvoiceLine, Journal, Party, PostInvoice, RegisterPayment
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
    "InvoiceLine",
    "Journal",
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

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,500}>")


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text) or len(text) > 254:
        raise ValueError(f"{text!r} is not a mail address this system writes to")
    return text


def _message_id(text: str) -> str:
    if not _MESSAGE_ID.fullmatch(text):
        raise ValueError(f"{text!r} is not a Message-ID")
    return text


MessageId = Annotated[str, AfterValidator(_message_id)]


class Address(Strict):
    """A mailbox in a header: the display name, and `local@domain` in ASCII."""

    name: Line = ""
    address: Annotated[str, AfterValidator(_address)]

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


class Attachment(Strict):
    """A file by its content: size in bytes and SHA-256 in hex."""

    name: Line
    media_type: Line
    size: Annotated[int, Field(ge=0)]
    sha256: Hex64


class SendMail(ActionBase):
    """One mail: every address header, the subject, the thread, the whole text with its quote."""

    prose: ClassVar[tuple[str, ...]] = ("text", "quote")
    type: Literal["send_mail"] = "send_mail"
    sender: Address
    to: Annotated[tuple[Address, ...], Field(min_length=1, max_length=50, strict=False)]
    cc: Annotated[tuple[Address, ...], Field(max_length=50, strict=False)] = ()
    bcc: Annotated[tuple[Address, ...], Field(max_length=50, strict=False)] = ()
    subject: Line
    in_reply_to: MessageId | None = None
    references: Annotated[tuple[MessageId, ...], Field(max_length=50, strict=False)] = ()
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=20, strict=False)] = ()
    text: Body
    quote: Body = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.text.strip():
            raise ValueError("the text is empty")
        return self


Action: TypeAlias = SendMail | PostInvoice | RegisterPayment | PayTransfer | PublishPost | SendWhatsApp | SendSealed
"""The union of all actions; it grows by one class and one line in `ACTIONS` for each kind of effect."""

ACTIONS: Mapping[str, type[Action]] = {
    "send_mail": SendMail,
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
