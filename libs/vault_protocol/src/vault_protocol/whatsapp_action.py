"""A WhatsApp message: to one number, in these words; or only its digest, when the words stay on one machine."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from .action_base import ActionBase, Body, Hex64

LONGEST = 4096
"""Characters of a text message, by WhatsApp's own count."""


class SendWhatsApp(ActionBase):
    """One text message. `chat` is the network's own id of the chat that it goes into, `answers` of the message.

    `blind` is random where the vault gets the digest only: short words to a known number could be guessed from it.
    """

    prose: ClassVar[tuple[str, ...]] = ("text",)
    type: Literal["send_whatsapp"] = "send_whatsapp"
    to: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
    """E.164, as in +4915112345678."""
    chat: Annotated[str, Field(pattern=r"^(?:[0-9A-Za-z._:-]{1,64}@[a-z.]{1,40})?$")] = ""
    answers: Annotated[str, Field(pattern=r"^[!-;=?-~]{0,200}$")] = ""
    blind: Annotated[str, Field(pattern=r"^(?:[0-9a-f]{32})?$")] = ""
    text: Body

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.text.strip():
            raise ValueError("the text is empty")
        if len(self.text) > LONGEST + 1:
            raise ValueError(f"the text is longer than the {LONGEST} characters a message may have")
        return self


class SendSealed(ActionBase):
    """Send the message with this digest, whose words are on the owner's machine and nowhere else."""

    type: Literal["send_sealed"] = "send_sealed"
    kind: Literal["send_whatsapp"] = "send_whatsapp"
    sha256: Hex64
    """The digest of the action that it stands for."""
