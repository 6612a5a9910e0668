"""Odoo's search domains, over records that are dicts; a field may be a path such as `account_id.internal_type`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
Get = Callable[[Record, str], Any]


def matches(record: Record, domain: Sequence[Any], get: Get) -> bool:
    """Prefix notation; terms without an operator between them are joined by and."""
    stack: list[bool] = []
    for term in reversed(domain):
        if term in ("&", "|"):
            one, other = stack.pop(), stack.pop()
            stack.append((one and other) if term == "&" else (one or other))
        elif term == "!":
            stack.append(not stack.pop())
        else:
            field, operator, value = term
            stack.append(_holds(get(record, field), operator, value))
    return all(stack)


def _holds(found: Any, operator: str, value: Any) -> bool:
    match operator:
        case "=":
            return bool(found == value or (not found and not value))
        case "!=":
            return not _holds(found, "=", value)
        case "in":
            return found in value
        case "not in":
            return found not in value
        case "child_of":
            return bool(found == value)
        case "<=" | ">=" | "<" | ">":
            if not found:
                return False
            return bool({"<=": found <= value, ">=": found >= value, "<": found < value, ">": found > value}[operator])
        case "ilike":
            return _like(value).search(str(found or "")) is not None
        case "=ilike":
            return _like(value).fullmatch(str(found or "")) is not None
    raise ValueError(f"this server knows no operator {operator!r}")


def _like(pattern: str) -> re.Pattern[str]:
    """`%` and `_` are wild unless a backslash stands before them."""
    parts = re.findall(r"\\.|%|_|[^\\%_]+", pattern)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(part) or re.escape(part.removeprefix("\\")) for part in parts), re.I | re.S)
