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
    """One file as one task has it. `origin` says in our words where it came from."""

    task: str
    attachment: Attachment
    origin: str


class Attachments:
    """A folder of files named by their SHA-256, and beside each what is known of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, content: bytes, *, name: str, media_type: str, task: str, origin: str) -> Attachment:
        """Keep a file for a task. The same bytes may have other names, and for other tasks."""
        digest = sha256(content)
        made = Attachment(name=name, media_type=media_type, size=len(content), sha256=digest)
        path, known = self._folder / digest, self._known(digest)
        if not path.exists() or sha256(path.read_bytes()) != digest:
            write_private(path, content)
        if all((one.task, one.attachment) != (task, made) for one in known):
            self._write(digest, (*known, Kept(task, made, origin)))
        return made

    def drop(self, attachment: Attachment, *, task: str) -> None:
        """This task has it no more; the bytes stay."""
        known = self._known(attachment.sha256)
        left = tuple(one for one in known if (one.task, one.attachment) != (task, attachment))
        if left != known:
            self._write(attachment.sha256, left)

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
        known = self._known(attachment.sha256)
        return next((one.origin for one in known if (one.task, one.attachment) == (task, attachment)), None)

    def _write(self, digest: str, kept: tuple[Kept, ...]) -> None:
        entries = [
            {"task": one.task, "attachment": one.attachment.model_dump(mode="json"), "origin": one.origin}
            for one in kept
        ]
        write_private(self._folder / f"{digest}.json", json.dumps(entries, indent=1).encode("utf-8"))

    def _known(self, digest: str) -> tuple[Kept, ...]:
        """Nothing, when nothing that can be read is there. One name for all tasks is what an older version wrote."""
        try:
            found = json.loads((self._folder / f"{digest}.json").read_text(encoding="utf-8"))
            entries = found if isinstance(found, list) else [{**found, "task": task} for task in found["tasks"]]
            return tuple(
                Kept(str(one["task"]), Attachment.model_validate(one["attachment"]), str(one["origin"]))
                for one in entries
            )
        except (OSError, ValueError, KeyError, TypeError):
            return ()
