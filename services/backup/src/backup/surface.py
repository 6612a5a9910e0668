"""What monitors ask of the backups over HTTP: /healthz, /metrics."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from backup.work import Work
from vault_protocol.pages import NOT_FOUND, WELL

PREFIX = "countersign_backup_"


def answer(work: Work, path: str) -> tuple[int, str]:
    """Whether the process answers is its health; how the jobs stand is what the push monitors and the numbers say."""
    match path:
        case "/healthz":
            return WELL, "alive\n"
        case "/metrics":
            return WELL, "".join(f"{PREFIX}{line}\n" for line in _lines(work))
        case _:
            return NOT_FOUND, "not here\n"


def _lines(work: Work) -> Iterator[str]:
    status = work.status
    for job, every in work.jobs.items():
        past, label = status.of(job), f'{{job_name="{job}"}}'
        yield f"last_well_timestamp_seconds{label} {_stamp(past.last_well)}"
        yield f"interval_seconds{label} {every.total_seconds():g}"
        yield f"failures{label} {past.failures}"
        if past.sizes:
            yield f"snapshot_bytes{label} {past.sizes[-1].total}"
            yield f"added_bytes{label} {past.sizes[-1].added}"
    for room in work.rooms():
        yield f'disk_free_bytes{{path="{room.path}"}} {room.free}'
        yield f'disk_bytes{{path="{room.path}"}} {room.total}'
    yield f"anomalies {len(work.anomalies())}"


def _stamp(at: datetime | None) -> int:
    return int(at.timestamp()) if at else 0
