"""The owner's own text in the place of a draft's."""

from __future__ import annotations

import secrets

from local_agent.chats.letters import Letters
from vault_protocol import request
from vault_protocol.action import BadAction, SendSealed, SendWhatsApp, action_of
from vault_protocol.errors import MalformedNote
from vault_protocol.note import Note
from vault_protocol.request import Request
from vault_protocol.task import Task


def with_text(task: Task, asked: Request, text: str, letters: Letters) -> Note:
    """The note with this text for its draft; words that stay on this machine stay there. Raises MalformedNote when no
    draft may hold it, NotHere."""
    action = letters.opened(asked.action)
    try:
        prose = {name: str(getattr(action, name)) for name in action.prose}
        changed = action_of(action.fields(), **{**prose, "text": text})
        if isinstance(asked.action, SendSealed) and isinstance(changed, SendWhatsApp):
            changed = letters.seal(changed.model_copy(update={"blind": ""}))
        fresh = Request(secrets.token_hex(8), changed, asked.warnings, asked.unknowns)
        return request.put(task.note, fresh)
    except BadAction as error:
        raise MalformedNote("your text", str(error)) from None


def as_typed(text: str) -> str:
    """LF, and one at the end, whatever an editor or a browser makes of it."""
    return text.replace("\r\n", "\n").rstrip("\n") + "\n"
