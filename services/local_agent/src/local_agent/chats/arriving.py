"""Messages on their way to a task: on disk before anybody acts on them, and only those that the owner wants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from local_agent.chats.phone import Message
from local_agent.networks.times import parsed, spelled
from local_agent.whatsapp_account import WhatsAppAccount
from vault_protocol.canonical import sha256
from vault_protocol.files import write_private

LONGEST = 8_000
"""Characters of a message that are kept."""

MOST = 500
"""Messages that may wait; what comes above is not kept, and the owner has it on their phone."""


class Arriving:
    """A private folder, one file a message."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, message: Message) -> bool:
        """Whether it is kept now; the same message is one file."""
        path = self._path(message.id)
        if path.exists() or sum(1 for _ in self._folder.glob("*.json")) >= MOST:
            return False
        content = {
            "id": message.id, "chat": message.chat, "number": message.number, "name": message.name[:200],
            "text": message.text[:LONGEST], "at": spelled(message.at),
        }  # fmt: skip
        write_private(path, json.dumps(content).encode("utf-8"))
        return True

    def has(self, message: Message) -> bool:
        """Whether it waits already."""
        return self._path(message.id).exists()

    def all(self) -> Iterator[Message]:
        """The oldest first. A file that does not hold is nobody's message."""
        found = [one for path in self._folder.glob("*.json") if (one := _read(path)) is not None]
        yield from sorted(found, key=lambda one: (one.at, one.id))

    def drop(self, message: Message) -> None:
        """It is a task now."""
        self._path(message.id).unlink(missing_ok=True)

    def _path(self, id_: str) -> Path:
        return self._folder / f"{sha256(id_.encode('utf-8'))[:32]}.json"


def is_wanted(message: Message, account: WhatsAppAccount) -> bool:
    """From somebody and about something that the owner named; with neither named, nothing is."""
    if not account.contacts and not account.keywords:
        return False
    words = message.text.casefold()
    known = not account.contacts or message.number in account.contacts
    return known and (not account.keywords or any(word.casefold() in words for word in account.keywords))


def _read(path: Path) -> Message | None:
    try:
        found = json.loads(path.read_bytes())
        return Message(
            str(found["id"]), str(found["chat"]), str(found["number"]), str(found["name"]), str(found["text"]),
            parsed(found["at"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None
