"""The owner's working hours: when a reminder may fall due, when what was approved leaves if the owner says so, and in
which zone a day of the budget begins."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOURS = re.compile(
    r"(?P<first>[a-z]{3,9})(?:\s*(?:to|-|–)\s*(?P<last>[a-z]{3,9}))?,?\s+(?P<start>\d{1,2}(?::\d\d)?)\s*(?:to|-|–)\s*"
    r"(?P<end>\d{1,2}(?::\d\d)?)(?:\s+(?P<zone>[A-Za-z_]+(?:/[A-Za-z_+-]+)*))?\.?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Hours:
    """`days` count from Monday, 0; `zone` is None for the owner's machine's."""

    days: frozenset[int]
    start: time
    end: time
    zone: str | None = None

    def holds(self, local: datetime) -> bool:
        """Whether this moment, in the owner's zone, is worked."""
        return local.weekday() in self.days and self.start <= local.time() < self.end

    def next(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """This moment if it is worked, else when work begins next."""
        local = moment.astimezone(ZoneInfo(self.zone) if self.zone else zone)
        if self.holds(local):
            return moment
        for ahead in range(8):
            day = local.date() + timedelta(days=ahead)
            for fold in (0, 1):  # an hour that comes twice may begin twice
                begins = datetime.combine(day, self.start, local.tzinfo).replace(fold=fold).astimezone(UTC)
                if day.weekday() in self.days and begins >= moment:
                    return begins.astimezone(moment.tzinfo)
        raise AssertionError("there is a working day in every week")


def hours_of(words: str) -> Hours | None:
    """`Monday to Friday, 9:00 to 17:00 Europe/Berlin`; None when it says something else."""
    found = _HOURS.fullmatch(words.strip())
    if not found:
        return None
    first, last = _day(found["first"]), _day(found["last"] or found["first"])
    start, end = _time(found["start"]), _time(found["end"])
    if first is None or last is None or start is None or end is None or start >= end:
        return None
    days = frozenset((first + i) % 7 for i in range((last - first) % 7 + 1))
    zone = found["zone"]
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, KeyError):
            return None
    return Hours(days, start, end, zone)


def _day(word: str) -> int | None:
    return next((i for i, day in enumerate(DAYS) if len(word) >= 3 and day.startswith(word.lower())), None)


def _time(words: str) -> time | None:
    hour, _, minute = words.partition(":")
    try:
        return time(int(hour), int(minute or 0))
    except ValueError:
        return None
