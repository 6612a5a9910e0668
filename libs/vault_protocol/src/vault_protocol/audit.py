"""The audit log: one JSON line an act, each naming the hash of the one before it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from .canonical import Json, canonical, sha256, strict_json, utc
from .task import AgentId

GENESIS = "0" * 64


class BrokenChain(ValueError):
    """A line was changed, taken out or put in; the message names the first line that does not follow."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One act. `parameters` holds ids, enums, counts and hashes, never a body or a secret."""

    timestamp: str
    action_type: str
    actor: str
    target: str
    parameters: dict[str, Json]
    approval_status: str = "none"
    approved_by: str = ""
    result: str = ""
    sequence: int = 0
    previous: str = GENESIS

    @classmethod
    def of(cls, action_type: str, *, actor: AgentId, target: str, at: datetime, **fields: Any) -> Record:
        parameters: dict[str, Json] = fields.pop("parameters", {})
        return cls(
            timestamp=utc(at),
            action_type=action_type,
            actor=actor,
            target=target,
            parameters=parameters,
            **fields,
        )

    def _fields(self) -> dict[str, Json]:
        return dict(self.__dict__)

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON of every field, the previous hash among them."""
        return sha256(canonical(self._fields()))

    def line(self) -> str:
        return json.dumps({**self._fields(), "hash": self.hash}, ensure_ascii=False, sort_keys=False) + "\n"


def path(actor: AgentId, at: datetime) -> str:
    """Logs/ACTOR/YYYY-MM/DD.jsonl, by the day in UTC."""
    return f"Logs/{actor}/{at.astimezone(UTC).strftime('%Y-%m/%d')}.jsonl"


def append(tail: Record | None, records: Iterable[Record]) -> tuple[Record, ...]:
    """The records with their numbers and hashes, following `tail`."""
    chained: list[Record] = []
    for record in records:
        last = chained[-1] if chained else tail
        number, previous = (last.sequence + 1, last.hash) if last else (1, GENESIS)
        chained.append(replace(record, sequence=number, previous=previous))
    return tuple(chained)


def parse(line: str) -> Record:
    """Raises BrokenChain for a line that is no record or does not carry its own hash."""
    try:
        fields = strict_json(line)
        if not isinstance(fields, dict):
            raise TypeError("not an object")
        claimed = fields.pop("hash", None)
        record = Record(**fields)  # type: ignore[arg-type]
        if record.hash != claimed:
            raise BrokenChain(f"record {record.sequence}: its hash does not fit its fields")
    except (ValueError, TypeError, RecursionError) as error:
        if isinstance(error, BrokenChain):
            raise
        raise BrokenChain(f"not an audit record: {error}") from None
    return record


def verify(lines: Iterable[str], tail: Record | None = None) -> Record | None:
    """Walk a chain from after `tail`; the last record. Raises BrokenChain at the first line that does not follow."""
    for line in lines:
        record = parse(line)
        number, previous = (tail.sequence + 1, tail.hash) if tail else (1, GENESIS)
        if (record.sequence, record.previous) != (number, previous):
            raise BrokenChain(f"record {record.sequence} does not follow record {number - 1}")
        tail = record
    return tail
