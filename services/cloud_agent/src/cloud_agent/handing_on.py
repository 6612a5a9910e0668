"""How a part of the worker hands a task on: what it is given for that, and the exception that asks the owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vault_protocol.canonical import Json
from vault_protocol.note import Note

if TYPE_CHECKING:
    from cloud_agent.work import Held


class Undraftable(Exception):
    """No draft can be made; the message asks the owner."""


class Submit(Protocol):
    """Puts a note up for the owner."""

    def __call__(self, held: Held, note: Note, what: str, **facts: Json) -> None: ...
