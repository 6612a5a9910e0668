"""The owner's own text in the place of a draft's."""

from __future__ import annotations

import secrets

from vault_protocol import request
from vault_protocol.action import BadAction, SendMail, action_of
from vault_protocol.errors import MalformedNote
from vault_protocol.note import Note
from vault_protocol.request import Request
from vault_protocol.task import Task


def with_text(task: Task, asked: Request, text: str) -> Note:
    """The note with this text for its draft. Raises MalformedNote when no draft may hold it."""
    action = asked.action
    assert isinstance(action, SendMail)
    try:
        changed = action_of(action.fields(), text=text, quote=action.quote)
        fresh = Request(secrets.token_hex(8), changed, asked.warnings, asked.unknowns)
        return request.put(task.note, fresh)
    except BadAction as error:
        raise MalformedNote("your text", str(error)) from None


def as_typed(text: str) -> str:
    """LF, and one at the end, whatever an editor or a browser makes of it."""
    return text.replace("\r\n", "\n").rstrip("\n") + "\n"
