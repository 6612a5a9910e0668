"""The words that stay on this machine: what was said, by its task, and what would be answered, by its digest."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from local_agent.chats.phone import Message
from local_agent.networks.times import parsed, spelled
from vault_protocol.action import Action, SendSealed, SendWhatsApp
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private
from vault_protocol.request import Request
from vault_protocol.task import TaskId


class NotHere(VaultError):
    """These words are not on this machine: they are on another one of the owner's, or gone."""


class Letters:
    """A private folder. What is in it is never synced, and part of the owner's own backup only."""

    def __init__(self, folder: Path) -> None:
        self._said, self._sealed = folder / "said", folder / "sealed"

    def keep(self, task: TaskId, message: Message) -> None:
        """What was said to us, for the task about it."""
        content = {
            "id": message.id, "chat": message.chat, "number": message.number, "name": message.name,
            "text": message.text, "at": spelled(message.at),
        }  # fmt: skip
        write_private(self._said / f"{task}.json", json.dumps(content).encode("utf-8"))

    def said(self, task: TaskId) -> Message | None:
        """What the task is about, when it is about a message that is here."""
        try:
            found = json.loads((self._said / f"{task}.json").read_bytes())
            return Message(
                str(found["id"]), str(found["chat"]), str(found["number"]), str(found["name"]), str(found["text"]),
                parsed(found["at"]),
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def seal(self, action: SendWhatsApp) -> SendSealed:
        """Keep the words, blinded, and give what stands for them in the vault."""
        blinded = action if action.blind else action.model_copy(update={"blind": secrets.token_hex(16)})
        content = json.dumps(blinded.model_dump(mode="json"), ensure_ascii=False).encode("utf-8")
        write_private(self._sealed / f"{blinded.digest}.json", content)
        return SendSealed(account=blinded.account, sha256=blinded.digest)

    def open(self, sealed: SendSealed) -> SendWhatsApp:
        """The very words with this digest. Raises NotHere."""
        try:
            content = (self._sealed / f"{sealed.sha256}.json").read_bytes()
            found = SendWhatsApp.model_validate_json(content, strict=True)
        except (OSError, ValidationError):
            raise NotHere("the words of this message are not on this machine") from None
        if found.digest != sealed.sha256 or found.account != sealed.account:
            raise NotHere("the words of this message on this machine are others than its digest says")
        return found

    def opened(self, action: Action) -> Action:
        """What a person has to be shown. Raises NotHere."""
        return self.open(action) if isinstance(action, SendSealed) else action

    def opened_request(self, asked: Request) -> Request:
        """The request with its words, as they are shown; never what is written into a note. Raises NotHere."""
        return replace(asked, action=self.opened(asked.action))
