"""What a way to WhatsApp can do for us. Each method raises NotPublished, or a kind of it, or AnswerLost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Message:
    """One text that somebody sent us. `number` is E.164, `chat` and `id` are WhatsApp's own."""

    id: str
    chat: str
    number: str
    name: str
    text: str
    at: datetime


class Phone(Protocol):
    """One number of ours."""

    def send(self, *, to: str, chat: str, answers: str, text: str) -> str:
        """Send one text, once; WhatsApp's id of it."""
        ...

    def state(self) -> str:
        """Whether it can send now: `ok`, or why not."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...
