"""What is not as it should be about the backups: late, failing, suddenly small or large. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

from backup.past import Past, Status
from vault_protocol.canonical import moment

ENOUGH = 5
"""Snapshots before their sizes say anything."""
GRACE = timedelta(minutes=5)
"""Every job may be late by this: a check or a large first snapshot holds the others up."""
SHRUNK, GREW = 0.5, 3.0
"""Of the median of those before."""
NOTICED = 16 * 1024 * 1024
"""Bytes by which a snapshot must be larger than the median to be called large: small things double all the time."""


class What(StrEnum):
    NEVER = "never ended well"
    LATE = "late"
    FAILING = "failing"
    SHRUNK = "suddenly small"
    GREW = "suddenly large"


@dataclass(frozen=True)
class Anomaly:
    job: str
    what: What
    words: str


def find(jobs: Mapping[str, timedelta], status: Status, now: datetime, *, late: float) -> tuple[Anomaly, ...]:
    """`late`: times its interval after which a job is late."""
    found: list[Anomaly] = []
    for job, every in jobs.items():
        past, allowed = status.of(job), every * late + GRACE
        since = past.last_well or moment(status.begun)
        if now - since > allowed:
            what = What.LATE if past.well else What.NEVER
            found.append(Anomaly(job, what, f"{job}: nothing since {_age(now - since)} ago, due every {_age(every)}"))
        elif past.failures >= 2:
            found.append(Anomaly(job, What.FAILING, f"{job}: failed {past.failures} times in a row: {past.error}"))
        found += _of_size(job, past)
    return tuple(found)


def _of_size(job: str, past: Past) -> list[Anomaly]:
    if len(past.sizes) <= ENOUGH:
        return []
    *before, last = past.sizes
    sizes = [one.total for one in before]
    usual = median(sizes)
    words = f"{job}: snapshot {last.snapshot} holds {_bytes(last.total)}, usual are {_bytes(usual)}"
    if last.total < usual * SHRUNK:
        return [Anomaly(job, What.SHRUNK, words)]
    if last.total > usual * GREW and last.total - usual > NOTICED:
        return [Anomaly(job, What.GREW, words)]
    return []


def _age(span: timedelta) -> str:
    seconds = span.total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.0f} TB"
