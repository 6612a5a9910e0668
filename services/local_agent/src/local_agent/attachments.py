"""Files that mails may carry, by their content: private to this machine, each kept for the tasks it was made for.

The vault holds names, sizes and hashes only. Whoever may write a draft names a hash; it is sent only when this machine
kept these bytes for this very task.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from vault_protocol.action import Attachment
from vault_protocol.canonical import sha256
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private


class NoSuchFile(VaultError):
    """These bytes are not on this machine."""


@dataclass(frozen=True)
class Kept:
    """What is known of a file. `origin` says in our words where it came from."""

    attachment: Attachment
    origin: str
    tasks: tuple[str, ...]


class Attachments:
    """A folder of files named by their SHA-256, and beside each what is known of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, content: bytes, *, name: str, media_type: str, task: str, origin: str) -> Attachment:
        """Keep a file for a task. The same bytes kept for another task keep the name they first had."""
        digest = sha256(content)
        try:
            known = self._known(digest)
        except NoSuchFile:
            made = Attachment(name=name, media_type=media_type, size=len(content), sha256=digest)
            known = Kept(made, origin, ())
        path = self._folder / digest
        if not path.exists() or sha256(path.read_bytes()) != digest:
            write_private(path, content)
        tasks = tuple(dict.fromkeys((*known.tasks, task)))
        entry = {"attachment": known.attachment.model_dump(mode="json"), "origin": known.origin, "tasks": tasks}
        write_private(path.with_suffix(".json"), json.dumps(entry, indent=1).encode("utf-8"))
        return known.attachment

    def read(self, attachment: Attachment) -> bytes:
        """Exactly the bytes with this hash and size. Raises NoSuchFile."""
        path = self._folder / attachment.sha256
        try:
            content = path.read_bytes()
        except OSError:
            raise NoSuchFile(f"the bytes of {attachment.name} are not on this machine") from None
        if sha256(content) != attachment.sha256 or len(content) != attachment.size:
            raise NoSuchFile(f"the bytes of {attachment.name} on this machine are others than its hash says")
        return content

    def origin(self, attachment: Attachment, *, task: str) -> str | None:
        """Where it came from, when it was kept for this task under this name and type; else None."""
        try:
            known = self._known(attachment.sha256)
        except NoSuchFile:
            return None
        return known.origin if known.attachment == attachment and task in known.tasks else None

    def _known(self, digest: str) -> Kept:
        try:
            entry = json.loads((self._folder / f"{digest}.json").read_text(encoding="utf-8"))
            attachment = Attachment.model_validate(entry["attachment"])
            return Kept(attachment, str(entry["origin"]), tuple(map(str, entry["tasks"])))
        except (OSError, ValueError, KeyError, TypeError):
            raise NoSuchFile(f"no file {digest[:16]}… is kept on this machine") from None
