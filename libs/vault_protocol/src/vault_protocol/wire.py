"""What a resident hub and its clients say to each other: commits with the contents they bring, as JSON.

A commit goes over the wire as what it was made from. Who receives it makes it again and compares the name, so nothing
about a commit has to be believed.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from .hub import REGULAR, Change, Commit, CommitId, Edits, Store

COMMIT_ID = re.compile("[0-9a-f]{40}")

Object: TypeAlias = dict[str, Any]


class BadWire(ValueError):
    """What came over the wire is not of the form; the message says what is wrong."""


@dataclass(frozen=True)
class Parcel:
    """One commit with everything needed to make it on top of its parent. `modes` names those that are not 100644."""

    id: CommitId
    parent: CommitId | None
    author: str
    at: datetime
    message: str
    edits: Edits
    modes: Mapping[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of content, roughly: what a limit is held against."""
        return len(self.message) + sum(len(path) + len(content or b"") for path, content in self.edits.items())


def parcel(store: Store, commit: Commit, changes: Sequence[Change] | None = None) -> Parcel:
    """The parcel of a commit in the store. Raises UntrustedHead when its objects are not there."""
    parent = commit.parents[0] if commit.parents else None
    changes = store.changes(parent, commit.id) if changes is None else changes
    edits = {change.path: store.blob(change.new) if change.new else None for change in changes}
    modes = {change.path: change.mode for change in changes if change.new and change.mode != REGULAR}
    return Parcel(commit.id, parent, commit.author, commit.at, commit.message, edits, modes)


def packed(parcel: Parcel) -> Object:
    """The parcel as a JSON object."""
    return {
        "id": parcel.id, "parent": parcel.parent, "author": parcel.author, "at": int(parcel.at.timestamp()),
        "message": parcel.message, "edits": [[path, *_content(content)] for path, content in parcel.edits.items()],
    }  # fmt: skip


def unpacked(value: Any) -> Parcel:
    """The inverse of `packed`. Raises BadWire."""
    try:
        edits = {_text(path): _bytes(rest) for path, *rest in value["edits"]}
        if len(edits) != len(value["edits"]):
            raise BadWire("a path is there twice")
        at = datetime.fromtimestamp(_number(value["at"]), UTC)
        parent = commit_id(value["parent"]) if value["parent"] is not None else None
        return Parcel(
            commit_id(value["id"]), parent, _text(value["author"]), at, _text(value["message"]), edits
        )  # fmt: skip
    except BadWire:
        raise
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise BadWire(f"it is no commit: {type(error).__name__}") from None


def commit_id(value: Any) -> CommitId:
    if not isinstance(value, str) or not COMMIT_ID.fullmatch(value):
        raise BadWire("it is no commit id")
    return CommitId(value)


def dumped(value: Object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def loaded(content: bytes) -> Object:
    """Raises BadWire."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise BadWire("it is no JSON") from None
    if not isinstance(value, dict):
        raise BadWire("it is no JSON object")
    return value


def _content(content: bytes | None) -> list[str | None]:
    """[null] for a path that goes, [text], or ["base64", "…"] for bytes that are no UTF-8."""
    if content is None:
        return [None]
    try:
        return [content.decode("utf-8")]
    except UnicodeDecodeError:
        return ["base64", b64encode(content).decode("ascii")]


def _bytes(rest: Sequence[Any]) -> bytes | None:
    match rest:
        case [None]:
            return None
        case [str() as text]:
            return text.encode("utf-8")
        case ["base64", str() as encoded]:
            return b64decode(encoded, validate=True)
    raise BadWire("a content is of no known form")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadWire("a text is missing")
    value.encode("utf-8")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadWire("a number is missing")
    return value
