"""What may be done to the world, as typed values with one byte string each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from .canonical import Json, canonical, sha256
from .plain import hidden_or_control

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,500}>")


class BadAction(ValueError):
    """An action that must not exist: unknown kind, unknown field, or a value outside its rules."""


def _line(text: str) -> str:
    fault = hidden_or_control(text) or ("a line break or tab" if "\n" in text or "\t" in text else None)
    if fault:
        raise ValueError(f"it holds {fault}")
    return text


def _body(text: str) -> str:
    fault = hidden_or_control(text)
    if fault:
        raise ValueError(f"it holds {fault}, which a reader does not see")
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        raise ValueError("it does not end in exactly one newline")
    return text


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text) or len(text) > 254:
        raise ValueError(f"{text!r} is not a mail address this system writes to")
    return text


def _message_id(text: str) -> str:
    if not _MESSAGE_ID.fullmatch(text):
        raise ValueError(f"{text!r} is not a Message-ID")
    return text


Line = Annotated[str, Field(max_length=998), AfterValidator(_line)]
Body = Annotated[str, Field(max_length=400_000), AfterValidator(_body)]
MessageId = Annotated[str, AfterValidator(_message_id)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Address(_Strict):
    """A mailbox in a header: the display name, and `local@domain` in ASCII."""

    name: Line = ""
    address: Annotated[str, AfterValidator(_address)]

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


class Attachment(_Strict):
    """A file by its content: size in bytes and SHA-256 in hex."""

    name: Line
    media_type: Line
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ActionBase(_Strict):
    """Common to all actions. `prose` names the fields that stand as text in the note, not in its JSON block."""

    prose: ClassVar[tuple[str, ...]] = ()
    type: str
    account: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]

    def canonical(self) -> bytes:
        """`countersign action v1`, LF, and the canonical JSON of every field."""
        fields: Json = self.model_dump(mode="json")
        return b"countersign action v1\n" + canonical(fields)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, in hex: what an approval signs."""
        return sha256(self.canonical())

    def fields(self) -> dict[str, Any]:
        """What stands in the JSON block of the note."""
        return self.model_dump(mode="json", exclude=set(self.prose))


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


Action = SendMail
"""The union of all actions; it grows by one class and one line in `ACTIONS` for each connector."""

ACTIONS: Mapping[str, type[Action]] = {"send_mail": SendMail}


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
