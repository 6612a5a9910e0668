"""One byte string for one value: what is hashed and signed, and the strict reader of it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import NoReturn, TypeAlias

Json: TypeAlias = bool | int | str | list["Json"] | dict[str, "Json"] | None


def canonical(value: Json) -> bytes:
    """UTF-8 JSON, keys sorted by code point, no spaces, no floats. Equal values give equal bytes."""
    _refuse_floats(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def strict_json(text: str) -> Json:
    """Parse JSON without duplicate keys, floats or NaN. Raises ValueError that says which."""

    def pairs(items: list[tuple[str, Json]]) -> dict[str, Json]:
        seen = dict(items)
        if len(seen) != len(items):
            keys = [key for key, _ in items]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ValueError(f"the key {twice!r} is there twice")
        return seen

    try:
        value: Json = json.loads(text, object_pairs_hook=pairs, parse_float=_no_float, parse_constant=_no_float)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def sha256(content: bytes) -> str:
    """Lower-case hex of SHA-256."""
    return hashlib.sha256(content).hexdigest()


def utc(moment: datetime) -> str:
    """`2026-11-23T15:04:05Z`: whole seconds, always UTC. Raises ValueError for a naive time."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone is no moment")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """The inverse of `utc`; ValueError for any other spelling."""
    found = datetime.fromisoformat(text)
    if utc(found) != text:
        raise ValueError(f"{text!r} is not spelled as in 2026-11-23T15:04:05Z")
    return found


def _no_float(text: str) -> NoReturn:
    raise ValueError(f"the number {text} is not an integer; write decimals as text")


def _refuse_floats(value: Json) -> None:
    if isinstance(value, float):
        raise TypeError("floats have no canonical form; write decimals as text")
    if isinstance(value, dict):
        for item in value.values():
            if isinstance(item, _NOT_PLAIN):
                _refuse_floats(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            if isinstance(item, _NOT_PLAIN):
                _refuse_floats(item)


_NOT_PLAIN = (float, dict, list, tuple)
