"""What restic says with `--json`, a line each, as values."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from backup.errors import ResticFailed


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True)  # a newer restic says more, and that is fine


class Progress(_Said):
    message_type: Literal["status"]
    percent_done: float = 0.0
    total_bytes: int = 0
    bytes_done: int = 0


class Summary(_Said):
    """How a backup ended."""

    message_type: Literal["summary"]
    files_new: int
    files_changed: int
    files_unmodified: int
    data_added: int
    """Bytes that the repository grew by, before compression."""
    total_files_processed: int
    total_bytes_processed: int
    snapshot_id: str


class Fault(_Said):
    """A file that could not be read."""

    message_type: Literal["error"]
    item: str = ""


Message = Annotated[Progress | Summary | Fault, Field(discriminator="message_type")]
_MESSAGE: TypeAdapter[Progress | Summary | Fault] = TypeAdapter(Message)


class Snapshot(_Said):
    id: str
    time: datetime
    paths: tuple[str, ...]
    hostname: str = ""
    tags: tuple[str, ...] | None = None

    @property
    def kind(self) -> str:
        return self.tags[0] if self.tags else ""


class Forgotten(_Said):
    """One group of `forget`."""

    tags: tuple[str, ...] | None = None
    keep: tuple[Snapshot, ...] | None = None
    remove: tuple[Snapshot, ...] | None = None


@dataclass(frozen=True)
class Kept:
    """How many snapshots of a kind stay, and how many go."""

    kind: str
    kept: int
    removed: int


def message(line: str) -> Progress | Summary | Fault | None:
    """None for a line that is no message known here."""
    try:
        return _MESSAGE.validate_json(line)
    except ValidationError:
        return None


def snapshots(said: str) -> tuple[Snapshot, ...]:
    """Oldest first. Raises ResticFailed."""
    try:
        found = TypeAdapter(tuple[Snapshot, ...] | None).validate_json(said)
    except ValidationError as error:
        raise ResticFailed(f"restic's list of snapshots does not read: {error.errors()[0]['msg']}") from None
    return tuple(sorted(found or (), key=lambda one: one.time))


def newest(found: Iterable[Snapshot], kind: str) -> Snapshot | None:
    return max((one for one in found if one.kind == kind), key=lambda one: one.time, default=None)


def forgotten(said: str) -> tuple[Kept, ...]:
    """The first line of `forget --json`; what `--prune` adds after it is no JSON. Raises ResticFailed."""
    for line in said.splitlines():
        if not line.startswith("["):
            continue
        try:
            groups = TypeAdapter(tuple[Forgotten, ...]).validate_json(line)
        except ValidationError as error:
            raise ResticFailed(f"what restic forgot does not read: {error.errors()[0]['msg']}") from None
        return tuple(Kept((one.tags or ("",))[0], len(one.keep or ()), len(one.remove or ())) for one in groups)
    return ()


def last_words(said: str) -> str:
    """The line of an ended restic that says why: its `Fatal:`, else its last."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("Fatal:")]
    return (fatal or lines or ["it said nothing"])[-1].removeprefix("Fatal: ")[:300]


def facts(content: bytes) -> dict[str, Any]:
    """An object of JSON. Raises ValueError."""
    found = json.loads(content)
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    return found
