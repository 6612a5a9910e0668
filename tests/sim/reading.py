"""The simulation's own way to read a vault: it shares no parser, table or hash with what it judges."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"

_PLACE = re.compile(
    r"(?P<stage>Needs_Action|In_Progress|Pending_Approval|Approved|Rejected|Done|Quarantine)/"
    r"(?:(?P<folder>.*)/)?(?P<id>[a-z2-7]{16})(?:-[a-z0-9-]+)?(?:\.r(?P<revision>\d+))?\.md"
)
_NUMBER = re.compile(r"^(attempt|revision): (\d+)$", re.MULTILINE)
_WORD = re.compile(r'^(owner|lease_until|action): "?([^"\n]+)"?$', re.MULTILINE)
_JSON = re.compile(r"^## Action\n\n(`{3,})json\n(.*?)\n\1$", re.MULTILINE | re.DOTALL)
_PROSE = re.compile(
    r"^<!-- (draft|quote) (\w+) -->\n(`{3,})text\n(.*?)\n\3\n<!-- /\1 \2 -->$", re.MULTILINE | re.DOTALL
)
_TRAILER = re.compile(r"^Countersign-(Agent|Attempt|Sequence): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Standing:
    """A task as one file says it stands."""

    id: str
    stage: str
    folder: str
    path: str
    attempt: int = 0
    revision: int = 0
    owner: str = ""
    lease: str = ""
    action: str = ""
    body: str = ""


@cache
def moves() -> dict[str, frozenset[str]]:
    """From → to, out of the table in docs/protocol.md; `(new)` is outside the vault."""
    return {source: frozenset(targets.split(", ")) for source, targets in _table("moves", "from | to")}


@cache
def rights() -> dict[tuple[str, str, str], str]:
    """(role, from, to) → whose, out of the table in docs/protocol.md."""
    found = {}
    for move, *cells in _table("zones", "move | cloud | local"):
        source, target = move.split(" → ")
        found.update({(role, source, target): cell for role, cell in zip(("cloud", "local"), cells, strict=True)})
    return found


def _table(name: str, head: str) -> Iterator[list[str]]:
    text = PROTOCOL.read_text(encoding="utf-8")
    section = text.partition(f"<!-- table:{name} -->")[2].partition(f"<!-- /table:{name} -->")[0]
    for line in section.partition(f"| {head} |\n")[2].splitlines()[1:]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split(" | ")]


def place(path: str) -> tuple[str, str] | None:
    """(id, stage) of the task that stands here."""
    found = _PLACE.fullmatch(path)
    return (found["id"], found["stage"]) if found else None


def standing(path: str, content: bytes) -> Standing:
    found = _PLACE.fullmatch(path)
    assert found is not None, path
    front, _, body = content.decode("utf-8", "replace").removeprefix("---\n").partition("\n---\n")
    words = dict(_WORD.findall(front + "\n"))
    numbers = {key: int(value) for key, value in _NUMBER.findall(front + "\n")}
    return Standing(
        found["id"], found["stage"], found["folder"] or "", path, numbers.get("attempt", 0),
        numbers.get("revision", 0), words.get("owner", ""), words.get("lease_until", ""),
        words.get("action", ""), body,
    )  # fmt: skip


def digest_of_note(body: str) -> str | None:
    """The digest of the action that a person reads in this note; None when there is none to read."""
    fields = _JSON.search(body)
    if not fields:
        return None
    prose = {label: text.rstrip("\n") + "\n" for label, _, _, text in _PROSE.findall(body)}
    return digest({**json.loads(fields[2]), "text": prose.get("draft", ""), "quote": prose.get("quote", "")})


def digest(fields: dict[str, Any]) -> str:
    return _sha256(b"countersign action v1\n" + _plain_json(fields))


def approval_id(fields: dict[str, Any]) -> str:
    spelled = {name: value for name, value in fields.items() if (name, value) != ("step_up", "none")}
    return _sha256(b"countersign approval v1\n" + _plain_json(spelled))


def trailers(message: str) -> dict[str, str]:
    return dict(_TRAILER.findall(message))


def audit_line(line: str, sequence: int, previous: str) -> tuple[dict[str, Any], str]:
    """The record and its hash. Raises ValueError unless it follows the record before it."""
    record = json.loads(line)
    claimed = record.pop("hash")
    if (record["sequence"], record["previous"]) != (sequence + 1, previous):
        raise ValueError(f"record {record['sequence']} does not follow record {sequence}")
    if _sha256(_plain_json(record)) != claimed:
        raise ValueError(f"record {record['sequence']} does not carry its own hash")
    return record, claimed


def _plain_json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
