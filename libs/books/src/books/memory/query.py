"""Domains and reading, over tables of rows by id."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
Tables = dict[str, dict[int, Row]]

_LINKS = {"account_id": "account.account"}


def matches(tables: Tables, row: Row, domain: list[Any]) -> bool:
    """Whether a row is in the domain: terms joined by and, `|` joining the next two."""
    stack: list[bool] = []
    for term in reversed(domain):
        if term == "|":
            stack.append(stack.pop() | stack.pop())
        else:
            stack.append(_holds(tables, row, *term))
    return all(stack)


def read(row: Row, fields: list[str]) -> Row:
    return {"id": row["id"], **{name: row.get(name, False) for name in fields}}


def _holds(tables: Tables, row: Row, path: str, operator: str, wanted: Any) -> bool:
    name, _, rest = path.partition(".")
    value = row.get(name, False)
    if rest:
        return _holds(tables, tables[_LINKS[name]][value[0]], rest, operator, wanted)
    if isinstance(value, list):
        value = value[0]
    match operator:
        case "=" | "child_of":
            return bool(value == wanted)
        case "!=":
            return bool(value != wanted)
        case "in":
            return value in wanted
        case "<=":
            return bool(value <= wanted)
        case ">=":
            return bool(value >= wanted)
        case "ilike" | "=ilike":
            text, part = str(value or "").lower(), _plain(wanted).lower()
            return part in text if operator == "ilike" else part == text
    raise AssertionError(operator)


def _plain(pattern: str) -> str:
    return pattern.replace("\\%", "%").replace("\\_", "_").replace("\\\\", "\\")
