"""The owner's rules about money, read from the table `## Money` of Company_Handbook.md."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from accounting import money, tables
from accounting.money import Money

_OVER = re.compile(r"(?:any |a )?(payment|invoice|bill) (?:over|of more than|above) (.+)", re.IGNORECASE)
_FROM = re.compile(r"(?:any |a )?(payment|invoice|bill) from (.+) to (.+)", re.IGNORECASE)
_KNOWN = re.compile(
    r"recurring payment under (.+) to a known payee|any payment to a new payee|changed bank details of a known payee"
    r"|invoice that does not match an order",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Rules:
    """From which amount on the owner wants a warning. `unread`: rows that say nothing this program understands."""

    payment: Money | None = None
    invoice: Money | None = None
    unread: tuple[str, ...] = field(default=())


def read(text: str) -> Rules:
    """A row without a warning sets no limit; of several limits of a kind the lowest counts."""
    limits: dict[str, Money] = {}
    unread = []
    for row in tables.table(text, "Money"):
        what, warning = row[0], row[2] if len(row) > 2 else ""
        found = _OVER.fullmatch(what) or _FROM.fullmatch(what)
        limit = money.read(found[2]) if found else None
        if found and limit:
            kind = "payment" if found[1].lower() == "payment" else "invoice"
            if warning.lower() not in ("", "none", "-"):
                limits[kind] = min(limits.get(kind, limit), limit, key=lambda one: one.value)
        elif not _KNOWN.fullmatch(what):
            unread.append(what)
    return Rules(limits.get("payment"), limits.get("invoice"), tuple(unread))
