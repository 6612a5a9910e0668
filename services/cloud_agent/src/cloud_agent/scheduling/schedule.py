"""One note below Schedules/: when it is due, by cron or once, in which time zone, and which task it raises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from vault_protocol.errors import MalformedNote
from vault_protocol.note import Note

LARGEST = 16 * 1024
"""Bytes a schedule may have."""
LONGEST_CRON = 100
LOOKED_AT = 200
"""Occurrences that are held against `CLOSEST`."""
CLOSEST = timedelta(minutes=15)
"""How near two runs may be: each is a task, and a task is a commit or more."""
FURTHEST_BACK = timedelta(days=400)
"""What was due before that is not caught up."""


class Duty(StrEnum):
    """What the task of a schedule is. The value stands in its note as `task`."""

    DIGEST = "digest"
    REMIND = "remind"
    PLAN = "plan"


class Unreadable(StrEnum):
    """Why a schedule does not run."""

    NOTE = "no-note"
    SIZE = "too-large"
    WHEN = "cron-or-at"
    CRON = "bad-cron"
    OFTEN = "too-often"
    NEVER = "never-due"
    ZONE = "unknown-time-zone"
    AT = "bad-at"
    TASK = "unknown-task"


class BadSchedule(ValueError):
    """The note is no schedule; `why` says what is wrong with it."""

    def __init__(self, why: Unreadable) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """`cron` has five fields and is read in `zone`; or it is due once, `at`. `text` is the owner's template."""

    duty: Duty
    zone: ZoneInfo
    cron: str = ""
    at: datetime | None = None
    title: str = ""
    about: str = ""
    text: str = ""
    enabled: bool = True

    def latest(self, now: datetime, *, since: datetime) -> datetime | None:
        """When it was due last, after `since` and not after `now`, in UTC: of several missed runs the last one alone.
        What is due once is due whenever it was seen first."""
        if self.at is not None:
            return self.at if now - FURTHEST_BACK <= self.at <= now else None
        begin = max(since, now - FURTHEST_BACK)
        found = None
        for due in _runs(self.cron, begin, self.zone):
            if due > now:
                break
            found = due
        return found


def parse(content: bytes) -> Schedule:
    """Raises BadSchedule."""
    if len(content) > LARGEST:
        raise BadSchedule(Unreadable.SIZE)
    try:
        note = Note.parse(content)
    except MalformedNote:
        raise BadSchedule(Unreadable.NOTE) from None
    front = note.front
    cron, at = front.words("cron").strip(), front.words("at").strip()
    if bool(cron) == bool(at):
        raise BadSchedule(Unreadable.WHEN)
    zone = _zone(front.words("time_zone").strip() or "UTC")
    try:
        duty = Duty(front.words("task").strip() or "remind")
    except ValueError:
        raise BadSchedule(Unreadable.TASK) from None
    if cron:
        _judge(cron, zone)
    return Schedule(
        duty=duty, zone=zone, cron=cron, at=_once(at, zone) if at else None, title=front.words("title"),
        about=front.words("about"), text=note.body, enabled=front.get("enabled") is not False,
    )  # fmt: skip


def _runs(cron: str, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """In UTC. A run that falls into the hour left out in spring comes right after it; in autumn it comes once."""
    for due in CronSim(cron, after.astimezone(zone)):
        found = due.astimezone(UTC)
        if found > after:
            yield found


def _judge(cron: str, zone: ZoneInfo) -> None:
    """Raises BadSchedule for what cannot be read, comes more often than CLOSEST, or never."""
    if len(cron) > LONGEST_CRON or len(cron.split()) != 5:
        raise BadSchedule(Unreadable.CRON)
    try:
        first = list(islice(CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC)), LOOKED_AT))
    except (CronSimError, ValueError):
        raise BadSchedule(Unreadable.CRON) from None
    if not first:
        raise BadSchedule(Unreadable.NEVER)
    if any(later - earlier < CLOSEST for earlier, later in pairwise(first)):
        raise BadSchedule(Unreadable.OFTEN)


def _zone(name: str) -> ZoneInfo:
    try:
        if len(name) > 64:
            raise BadSchedule(Unreadable.ZONE)
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise BadSchedule(Unreadable.ZONE) from None


def _once(text: str, zone: ZoneInfo) -> datetime:
    """`2026-12-01 09:00`, in the schedule's zone unless it names another."""
    try:
        found = datetime.fromisoformat(text[:40])
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadSchedule(Unreadable.AT) from None
