"""Reads what Odoo answered, strictly: False stands for nothing, numbers arrive as floats."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from books.errors import BooksUnreachable

Row = Mapping[str, Any]


def rows(answer: Any) -> list[Row]:
    """A list of records."""
    if not isinstance(answer, list) or not all(
        isinstance(one, dict) and isinstance(one.get("id"), int) for one in answer
    ):
        raise BooksUnreachable("Odoo answered something else than records")
    return answer


def text(row: Row, name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def link(row: Row, name: str) -> int | None:
    """The id behind a many2one, which comes as [id, name]."""
    value = row.get(name)
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], int):
        return value[0]
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def link_name(row: Row, name: str) -> str:
    value = row.get(name)
    return str(value[1]) if isinstance(value, (list, tuple)) and len(value) > 1 else ""


def day(row: Row, name: str) -> date | None:
    value = row.get(name)
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        raise BooksUnreachable(f"Odoo says {name} is {value!r}, which is no date") from None


def number(row: Row, name: str) -> Decimal:
    """As Odoo wrote it, without the binary tail of a float."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return Decimal(0)
    found = Decimal(repr(value))
    if not found.is_finite():
        raise BooksUnreachable(f"Odoo says {name} is {value!r}")
    return found


def rounded(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals)) + Decimal(0)


def ids(row: Row, name: str) -> tuple[int, ...]:
    value = row.get(name)
    return tuple(v for v in value if isinstance(v, int)) if isinstance(value, list) else ()
