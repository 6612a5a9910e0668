"""All that a plan depends on, gathered so that planning itself is a pure function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime

from vault_protocol.hub import BlobId
from vault_protocol.mirror import names
from vault_protocol.mirror.base import Record
from vault_protocol.mirror.look import Seen
from vault_protocol.task import Task, TaskId

Quick = Callable[[Task], "str | None"]
"""None when moving the file may decide this task, else why not (a payment, warnings, an unchecked original)."""


@dataclass(frozen=True)
class Scene:
    """Base, folder and head at one moment."""

    records: Mapping[str, Record]
    where: Mapping[TaskId, str]
    behind: Set[str]
    seen: Mapping[str, Seen]
    first: bool
    """No base: nothing in the folder is trusted."""
    now: float
    settle: float
    moment: datetime
    at_head: Callable[[str], BlobId | None]
    blob: Callable[[BlobId], bytes]
    knows: Callable[[str, str | None], bool]
    offered: Callable[[str, str], bool]
    quick: Quick
    secret: Callable[[bytes], str | None]
    refused: Mapping[tuple[str, str], str]
    """(path, digest) → why the caller could not publish it."""

    def settled(self, path: str) -> bool:
        return self.now - self.seen[path].since >= self.settle

    def is_recorded(self, path: str) -> bool:
        return path in self.records and self.records[path].blob is not None

    def is_current(self, path: str) -> bool:
        """Whether the head has here what the mirror put here."""
        known = self.is_recorded(path) and path not in self.behind
        return known and self.at_head(path) == self.records[path].blob

    def recorded(self, path: str) -> bytes:
        """The bytes the mirror put here."""
        blob = self.records[path].blob
        assert blob is not None
        return self.blob(blob)

    def copy(self, path: str) -> str:
        return names.conflict_copy(path, self.moment)
