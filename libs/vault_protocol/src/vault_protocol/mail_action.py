"""What may be sent by mail."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from .action_base import ActionBase, Body, Hex64, Line, Strict

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


class MailAction(ActionBase):
    """What every mail is made of."""

    prose: ClassVar[tuple[str, ...]] = ("text", "quote")
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


class SendMail(MailAction):
    """One mail: every address header, the subject, the thread, the whole text with its quote."""

    type: Literal["send_mail"] = "send_mail"

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.text.strip():
            raise ValueError("the text is empty")
        return self


class Forwarded(Strict):
    """A mail in the owner's mailbox: its Message-ID, and the SHA-256 of its bytes as they lie there."""

    message_id: MessageId
    sha256: Hex64


class ForwardMail(MailAction):
    """A mail of somebody else's passed on: its words are the `quote`, its files the attachments; `text` is the owner's
    own note above it and may be empty."""

    type: Literal["forward_mail"] = "forward_mail"
    original: Forwarded
    text: Body = ""

    @model_validator(mode="after")
    def _passes_something_on(self) -> Self:
        if not self.quote.strip():
            raise ValueError("it passes nothing on")
        return self


Mail: TypeAlias = SendMail | ForwardMail
