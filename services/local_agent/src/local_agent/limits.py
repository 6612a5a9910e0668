"""How many effects of a kind are allowed in an hour and in a day: the table `## Limits` of Company_Handbook.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from accounting import tables

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST = 1_000_000
"""What stands for `none`: more than anybody does."""

_NUMBER = re.compile(r"\d{1,6}")
_NO_LIMIT = ("none", "no limit", "-", "")


@dataclass(frozen=True)
class Limit:
    """At most so many in any hour, and in any day. 0 allows none."""

    per_hour: int
    per_day: int

    def spans(self) -> tuple[tuple[int, timedelta, str], ...]:
        """How many, in how long, and its name."""
        return (self.per_hour, HOUR, "an hour"), (self.per_day, DAY, "a day")

    def __str__(self) -> str:
        said = [f"{most} {span}" for most, _, span in self.spans() if most < MOST]
        return ", ".join(said) or "no limit"


MANY = Limit(MOST, MOST)
"""No limit that anybody meets."""


@dataclass(frozen=True)
class Limits:
    """What the Handbook says, by the name that it gives a kind. `unread`: rows that say nothing that is understood."""

    rows: Mapping[str, Limit]
    unread: tuple[str, ...] = ()


def read(text: str, known: Iterable[str]) -> Limits:
    """`known` are the names a row may begin with. Of several rows of a name the lowest numbers count."""
    names, rows, unread = {name.casefold(): name for name in known}, dict[str, Limit](), []
    for row in tables.table(text, "Limits"):
        name, limit = names.get(row[0].casefold()), _limit(row[1:3])
        if name is None or limit is None:
            unread.append(row[0])
        else:
            rows[name] = _lower(rows.get(name, limit), limit)
    return Limits(rows, tuple(unread))


def overruled(limit: Limit, settings: Mapping[str, int], name: str) -> Limit:
    """With `NAME_per_hour` and `NAME_per_day` of these settings, which count before everything else."""
    per_hour = settings.get(f"{name}_per_hour", limit.per_hour)
    return replace(limit, per_hour=per_hour, per_day=settings.get(f"{name}_per_day", max(limit.per_day, per_hour)))


def _limit(cells: tuple[str, ...]) -> Limit | None:
    if len(cells) != 2:
        return None
    found = [_number(cell) for cell in cells]
    per_hour, per_day = found
    return None if per_hour is None or per_day is None else Limit(per_hour, per_day)


def _number(cell: str) -> int | None:
    if cell.casefold() in _NO_LIMIT:
        return MOST
    return int(cell) if _NUMBER.fullmatch(cell) else None


def _lower(one: Limit, other: Limit) -> Limit:
    return Limit(min(one.per_hour, other.per_hour), min(one.per_day, other.per_day))
