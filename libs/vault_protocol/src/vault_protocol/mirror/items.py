"""What the mirror finds in the owner's folder, as data: the caller publishes some of it, `apply` does the rest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from vault_protocol.task import TaskId


class Verdict(StrEnum):
    """What a drag into another folder says."""

    APPROVE = "approve"
    REJECT = "reject"
    SEND_BACK = "send_back"
    ACKNOWLEDGE = "acknowledge"


@dataclass(frozen=True)
class Decided:
    """The owner moved a note. `content` is what their file held: the recorded revision's bytes, or with `edited`
    their own text on top of it. Publish it, or `refuse` it; then `apply`."""

    path: str
    task: TaskId
    revision: int
    verdict: Verdict
    content: bytes
    edited: bool = False
    remark: str = ""
    """What the owner wrote under `remark` in the front matter: why it is rejected, or what to do better."""


@dataclass(frozen=True)
class DraftEdited:
    """The owner edited a draft that they have not decided yet. It stays in the folder, unsynced and shown."""

    path: str
    task: TaskId
    revision: int
    content: bytes


@dataclass(frozen=True)
class Edited:
    """A note of the owner's own is new or changed. Publish it under the same path."""

    path: str
    content: bytes


@dataclass(frozen=True)
class Removed:
    """A note of the owner's own is gone: deleted, or moved and then `Edited` elsewhere. Publish its removal."""

    path: str


@dataclass(frozen=True)
class Dropped:
    """A settled file in Inbox/. `Mirror.read` gives its bytes, `Mirror.discard` takes it away once it is safe."""

    path: str
    size: int
    digest: str
    """SHA-256 in hex."""


@dataclass(frozen=True)
class PutBack:
    """A move that decides nothing: `apply` puts the file back to `to`. Tell the owner the reason."""

    path: str
    to: str
    reason: str
    clear: str = ""
    """SHA-256 of a file that holds nothing the vault does not have: it is cleared away, `to` has the note."""


@dataclass(frozen=True)
class Conflict:
    """The owner's bytes where they cannot stay: `apply` keeps them in `copy`, `path` holds the vault's again."""

    path: str
    copy: str
    reason: str


@dataclass(frozen=True)
class Vanished:
    """A note that is not the owner's to delete is gone: `apply` brings it back."""

    path: str


@dataclass(frozen=True)
class Unsynced:
    """A file that is in this folder only, and why. Left alone."""

    path: str
    reason: str


Item: TypeAlias = Decided | DraftEdited | Edited | Removed | Dropped | PutBack | Conflict | Vanished | Unsynced
