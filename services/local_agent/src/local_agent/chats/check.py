"""A message held against the one that it answers, both on this machine."""

from __future__ import annotations

from collections.abc import Iterator

from local_agent.chats.letters import Letters, NotHere
from local_agent.chats.phone import Message
from local_agent.check import Check
from local_agent.home import Settings
from social.words import links
from vault_protocol.action import Action, SendWhatsApp
from vault_protocol.errors import VaultError
from vault_protocol.plain import one_line
from vault_protocol.task import Task


class ChatCheck:
    """Checks a SendWhatsApp, or the one that a SendSealed stands for."""

    def __init__(self, settings: Settings, letters: Letters) -> None:
        self._settings, self._letters = settings, letters

    def __call__(self, task: Task, action: Action, told: tuple[str, ...]) -> Check:
        try:
            message = self._letters.opened(action)
        except NotHere as error:
            return Check(False, warnings=told, reason=str(error))
        if not isinstance(message, SendWhatsApp):
            return Check(False, warnings=told, reason="it is no WhatsApp message")
        said = self._letters.said(task.id)
        if said is None:
            return Check(False, warnings=told, reason="this machine has no message that it would answer")
        warnings = dict.fromkeys((*told, *(one_line(f"it links to {link}") for link in links(message.text))))
        return Check(True, tuple(self._mismatches(message, said)), tuple(warnings))

    def _mismatches(self, message: SendWhatsApp, said: Message) -> Iterator[str]:
        try:
            self._settings.whatsapp_account(message.account)
        except VaultError as error:
            yield one_line(str(error))
        for what, one, other in (
            ("the number", message.to, said.number), ("the chat", message.chat, said.chat),
            ("the message it answers", message.answers, said.id),
        ):  # fmt: skip
            if one != other:
                yield f"{what} is not what the message on this machine says"
