"""Bringing paths of the folder to what a commit has there, in an order that a kill at any step leaves recoverable.

Intents are recorded, the new bytes staged beside their place, exchanged in, and what came out is looked at: bytes that
no commit has are the owner's and become a conflict copy.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from datetime import datetime
from hashlib import sha256

from vault_protocol import layout
from vault_protocol.errors import UntrustedHead
from vault_protocol.hub import BlobId
from vault_protocol.mirror import names, texts
from vault_protocol.mirror.base import Base, Intent, Record
from vault_protocol.mirror.items import Conflict
from vault_protocol.mirror.look import READ
from vault_protocol.mirror.place import Blocked, Folder, Found, Kind
from vault_protocol.task import TaskId

Step = Callable[[str], None]
"""Called before each named step; a test stops here, or lets the owner act."""

Going = Mapping[TaskId, BlobId]
"""The notes of tasks as they stand at the head."""

STEPS = ("intend", "stage", "place", "look out", "record", "put back", "reflect")

_BATCH = 256
_MANY = 8
"""Files from which one sync of the file system is cheaper than one for each."""


class Bringer:
    """Writes into the folder what commits have. `kept` collects the conflict copies it made."""

    def __init__(
        self, folder: Folder, base: Base, blob: Callable[[BlobId], bytes], now: Callable[[], datetime], step: Step
    ) -> None:
        self._folder, self._base, self._blob, self._now, self._step = folder, base, blob, now, step
        self.kept: list[Conflict] = []
        self.blocked: dict[str, str] = {}

    def recover(self) -> None:
        """Clear up after a run that was killed: nothing of the owner's stays under a temporary name, and the paths it
        was about to write count for nothing until they are brought up to date again."""
        intents = self._base.intents()
        for intent in intents:
            with suppress(Blocked, PermissionError):
                self._look_out(intent, {})
        if intents:
            self._record(intents, frozenset())

    def keep_leftovers(self) -> None:
        """Temporary files without an intent (their folder was moved away in between) become copies one can see."""
        for folder, name in self._folder.leftovers():
            if name.endswith(".new"):
                self._folder.drop(f"{folder}/-".removeprefix("/"), name)
            else:
                self._keep(f"{folder}/recovered.md".removeprefix("/"), name)

    def bring(self, wants: Mapping[str, BlobId | None]) -> None:
        """Each path holds its blob afterwards, or nothing, unless something stands in the way."""
        going = {place.id: blob for path, blob in wants.items() if blob and (place := layout.place_of(path))}
        paths = sorted(wants, key=lambda path: (wants[path] is None, path))
        for at in range(0, len(paths), _BATCH):
            intents = [intent for path in paths[at : at + _BATCH] for intent in self._intent(path, wants[path])]
            if intents:
                self._write(intents, going)

    def clear(self, path: str, digest: str) -> None:
        """Take a file away that was seen with these bytes; with others it becomes a conflict copy."""
        with self._base.saving(durable=False):
            self._base.know(path, digest)
        self._write([Intent(names.PRIVATE + secrets.token_hex(8), path, None, None)], {})

    def _intent(self, path: str, blob: BlobId | None) -> Iterator[Intent]:
        """What must be written, if anything; what is right already, or is the owner's, is only recorded."""
        try:
            content = self._blob(blob) if blob else None
            digest = sha256(content).hexdigest() if content is not None else None
            found = self._folder.read(path, READ)
        except Blocked as error:
            return self.block(path, error.reason)
        except (UntrustedHead, KeyError):
            return self.block(path, "the commit has no file here")
        if self._is_right(path, found, digest):
            with self._base.saving(durable=False):
                if blob and digest:
                    self._base.know(path, digest)
                    self._base.put(path, Record(blob, digest))
                else:
                    self._base.forget(path)
                self._base.is_behind(path, False)
            return
        yield Intent(names.PRIVATE + secrets.token_hex(8), path, blob, digest)

    def _is_right(self, path: str, found: Found | None, digest: str | None) -> bool:
        if (found.digest if found else None) == digest and (found is None) == (digest is None):
            return True
        if not names.is_owners(path):
            return False
        if self._base.offered(path, digest or ""):
            return True
        return digest is None and found is not None and not self._base.knows(path, found.digest)

    def _write(self, intents: Sequence[Intent], going: Going) -> None:
        self._step("intend")
        with self._base.saving(durable=True):
            self._base.intend(intents)
        many, placed = len(intents) > _MANY, set()
        self._step("stage")
        staged = [intent for intent in intents if self._stage(intent, sync=not many)]
        if many:
            self._folder.sync_all()
        for intent in staged:
            self._step("place")
            try:
                if self._place(intent):
                    placed.add(intent.temp)
                self._step("look out")
                self._look_out(intent, going)
            except (Blocked, PermissionError) as error:
                self.block(intent.path, str(error))
        self._record(intents, placed)

    def _stage(self, intent: Intent, *, sync: bool) -> bool:
        try:
            if intent.blob:
                self._folder.stage(intent.path, intent.temp, self._blob(intent.blob), sync=sync)
        except (Blocked, PermissionError) as error:
            self.block(intent.path, str(error))
            return False
        return True

    def _place(self, intent: Intent) -> bool:
        """Whether the path was brought to the intent, if only for a moment."""
        if intent.blob is None:
            self._folder.take(intent.path, intent.temp)
            return True
        for _ in range(10):
            try:
                self._folder.put(intent.path, intent.temp)
            except FileExistsError:
                try:
                    self._folder.swap(intent.path, intent.temp)
                except FileNotFoundError:
                    continue  # the owner took it away in between
                except FileExistsError:
                    break  # no exchange here, and the owner saved in between
            return True
        self.block(intent.path, "another program writes to it at the same time")
        return False

    def _look_out(self, intent: Intent, going: Going) -> None:
        """Drop what came out when a commit has it; keep it beside its place when it is the owner's."""
        for name, found, writing in self._folder.came_out(intent.path, intent.temp, READ):
            if not writing and self._is_committed(intent, found, going):
                self._folder.drop(intent.path, name)
            else:
                self._keep(intent.path, name)

    def _is_committed(self, intent: Intent, found: Found, going: Going) -> bool:
        path = intent.path
        if found.kind is not Kind.FILE or found.digest is None or found.content is None:
            return False
        if found.digest == intent.digest or self._base.knows(path, found.digest):
            return True
        place, record = layout.place_of(path), self._base.records.get(path)
        stands = going.get(place.id) if place else None
        if stands is None:
            return False
        was = self._blob(record.blob) if record and record.blob else None
        return texts.contains(self._blob(stands), found.content, was)

    def _keep(self, path: str, name: str) -> None:
        for number in range(1, 1000):
            copy = names.conflict_copy(path, self._now(), number)
            try:
                self._folder.keep(path, name, copy)
            except FileExistsError:
                continue
            self.kept.append(Conflict(path, copy, "the vault has another version now"))
            return

    def _record(self, intents: Sequence[Intent], placed: Set[str]) -> None:
        """The base now says what was put where; what could not be put is tried again with the next commit."""
        self._folder.sync()
        self._step("record")
        with self._base.saving(durable=False):
            for intent in intents:
                self._base.is_behind(intent.path, intent.temp not in placed)
                if intent.temp not in placed:
                    continue
                if intent.blob and intent.digest:
                    self._base.put(intent.path, Record(intent.blob, intent.digest))
                else:
                    self._base.forget(intent.path)
            self._base.done(intents)

    def block(self, path: str, reason: str) -> None:
        """This path stays as it is until something changes."""
        self.blocked[path] = reason
        with self._base.saving(durable=False):
            self._base.is_behind(path, True)
