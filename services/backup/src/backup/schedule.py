"""When each job is due. A pure function of what became of it so far."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from backup.past import Status
from vault_protocol.canonical import moment

FIRST_REST = timedelta(seconds=15)
"""After a failure; doubled with each further one, up to the job's own interval."""
LONGEST_REST = timedelta(minutes=15)


def next_at(job: str, every: timedelta, status: Status) -> datetime | None:
    """When it is to run next; None for at once."""
    past = status.of(job)
    if past.tried is None:
        return None
    rest = every
    if past.failures:
        rest = min(FIRST_REST * 2 ** min(past.failures - 1, 16), every, LONGEST_REST)
    return moment(past.tried) + rest


def due(jobs: Mapping[str, timedelta], status: Status, now: datetime) -> tuple[str, ...]:
    """The jobs whose time has come, the longest waiting first. A clock that went back delays none for longer than its
    interval."""
    waiting: list[tuple[datetime, str]] = []
    for job, every in jobs.items():
        at = next_at(job, every, status)
        if at is None:
            waiting.append((datetime.min.replace(tzinfo=now.tzinfo), job))
        elif at <= now or at - now > every:
            waiting.append((at, job))
    return tuple(job for _, job in sorted(waiting, key=lambda one: one[0]))


def rest(jobs: Mapping[str, timedelta], status: Status, now: datetime) -> timedelta:
    """How long until the next one is due."""
    times = [next_at(job, every, status) or now for job, every in jobs.items()]
    return max(min(times, default=now + LONGEST_REST) - now, timedelta())
