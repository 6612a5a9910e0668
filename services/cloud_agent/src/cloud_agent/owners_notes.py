"""The notes of a folder that only the owner's machine may write in, each version of each read once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import structlog

from vault_protocol.hub import BlobId
from vault_protocol.vault import Vault

log = structlog.get_logger()

ReadT = TypeVar("ReadT")


class OwnersNote(NamedTuple, Generic[ReadT]):
    """One note, and what was read in it."""

    path: str
    blob: BlobId
    read: ReadT


class OwnersNotes(Generic[ReadT]):
    """`read` is told a note's content, and says itself what is wrong with it."""

    def __init__(self, folder: str, read: Callable[[bytes], ReadT], *, most: int) -> None:
        """`most` notes are looked at, by name; the log says once that there are more."""
        self._folder, self._read, self._most = folder, read, most
        self._known: dict[BlobId, ReadT] = {}
        self._found = 0

    def look(self, vault: Vault) -> list[OwnersNote[ReadT]]:
        """As they are at the head, by name."""
        head = vault.journal.head
        found = sorted(vault.journal.store.paths(head, self._folder)) if head else []
        notes = [(path, blob) for path, blob in found if path.endswith(".md")]
        if len(notes) > self._most and len(notes) != self._found:
            log.warning("notes.too_many", folder=self._folder, found=len(notes), most=self._most)
        self._found, known = len(notes), self._known
        self._known = {
            blob: known[blob] if blob in known else self._read(vault.journal.read(path) or b"")
            for path, blob in notes[: self._most]
        }
        return [OwnersNote(path, blob, self._known[blob]) for path, blob in notes[: self._most]]
