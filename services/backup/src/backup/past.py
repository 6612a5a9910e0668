"""What became of each job so far: the status, a file that monitors and people read, and that may be thrown away."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from vault_protocol.canonical import moment, utc
from vault_protocol.files import write_whole

REMEMBERED = 20
"""Snapshots of a kind whose sizes are kept to compare with."""


class Size(BaseModel):
    """One snapshot's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: str
    snapshot: str
    total: int
    """Bytes that it holds."""
    added: int
    """Bytes that the repository grew by."""


class Past(BaseModel):
    """One job's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tried: str | None = None
    well: str | None = None
    """When it last ended well; for a kind that had not changed, when that was seen."""
    failures: int = 0
    """In a row."""
    error: str = ""
    mark: str = ""
    sizes: tuple[Size, ...] = ()
    count: int = 0
    """How often it ended well."""

    @property
    def last_well(self) -> datetime | None:
        return moment(self.well) if self.well else None

    def ended_well(self, now: datetime, *, mark: str = "", size: Size | None = None) -> Past:
        sizes = (*self.sizes, size)[-REMEMBERED:] if size else self.sizes
        return Past(tried=utc(now), well=utc(now), mark=mark or self.mark, sizes=sizes, count=self.count + 1)

    def failed(self, now: datetime, error: str) -> Past:
        change = {"tried": utc(now), "failures": self.failures + 1, "error": error}
        return self.model_copy(update=change)


class Status(BaseModel):
    """Every job's past, by its name; `begun` is when the first of them was to run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    begun: str
    jobs: dict[str, Past] = {}

    def of(self, job: str) -> Past:
        return self.jobs.get(job, Past())

    def put(self, job: str, past: Past) -> Status:
        return self.model_copy(update={"jobs": {**self.jobs, job: past}})


def load(path: Path, now: datetime) -> Status:
    """A file that is not there, or not ours, is a new beginning: every job runs at once."""
    try:
        return Status.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return Status(begun=utc(now))


def save(path: Path, status: Status) -> None:
    write_whole(path, (status.model_dump_json(indent=1) + "\n").encode("utf-8"))
