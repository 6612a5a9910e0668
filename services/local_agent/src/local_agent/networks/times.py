"""The networks' spellings of a time."""

from __future__ import annotations

from datetime import UTC, datetime

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def parsed(text: object) -> datetime:
    """A time with a zone, from ISO 8601 or milliseconds since 1970; LONG_AGO for what is none."""
    try:
        if isinstance(text, int) and not isinstance(text, bool):
            return datetime.fromtimestamp(text / 1000, UTC)
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        return LONG_AGO
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def spelled(at: datetime) -> str:
    """`2026-11-23T09:00:00.000Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
