"""The Date header, read from strangers and written by us, both without a locale."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ZONES = {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
DATE = re.compile(
    r"(?:[a-z]{3,9}\s*,?\s+)?(\d{1,2})[\s-]+([a-z]{3})[a-z]{0,6}[\s-]+(\d{4}|\d{2})\s+"
    r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(?:([+-])(\d{2}):?(\d{2})|([a-z]{1,4}))?",
    re.ASCII | re.IGNORECASE,
)


def read_date(header: str) -> datetime | None:
    """A date of RFC 5322, in UTC; an unknown zone counts as UTC; None unless it lies in 1970 to 2200."""
    match = DATE.match(header[:200].strip())
    if not match or match[2].lower() not in MONTHS:
        return None
    year = int(match[3])
    if len(match[3]) == 2:
        year += 2000 if year < 50 else 1900
    if not 1970 <= year <= 2200:
        return None
    if match[7]:
        offset = timedelta(hours=int(match[8]), minutes=int(match[9])) * (-1 if match[7] == "-" else 1)
    else:
        offset = timedelta(hours=ZONES.get((match[10] or "").lower(), 0))
    try:
        local = datetime(
            year,
            MONTHS.index(match[2].lower()) + 1,
            int(match[1]),
            int(match[4]),
            int(match[5]),
            min(int(match[6] or 0), 59),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return local - offset


def write_date(date: datetime) -> str:
    """An aware date as RFC 5322 writes it, in UTC."""
    date = date.astimezone(UTC)
    month = MONTHS[date.month - 1].capitalize()
    return f"{DAYS[date.weekday()]}, {date.day:02} {month} {date.year:04} {date:%H:%M:%S} +0000"
