"""One job at a time: what is due is staged, snapshotted and checked, and its past written down with how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog

from backup import anomalies, disks, names, past, schedule
from backup.anomalies import Anomaly
from backup.disks import Room
from backup.errors import BackupError
from backup.manifest import Staged
from backup.past import Past, Size, Status
from backup.pings import Pings
from backup.restic import Restic, Show, hidden
from backup.settings import Settings
from vault_protocol.canonical import utc
from vault_protocol.clock import Clock
from vault_protocol.errors import VaultError

log = structlog.get_logger()

CHECK, PRUNE = "check", "prune"


class Source(Protocol):
    """What is backed up under one name."""

    def mark(self) -> str:
        """What it looks like now; empty for a source that is taken every time."""
        ...

    def stage(self, spool: Path, now: datetime) -> Staged: ...


class Work:
    """The jobs of one machine. `step` is one round: it runs what is due and says how all stand."""

    def __init__(
        self, settings: Settings, sources: Mapping[str, Source], restic: Restic, pings: Pings, clock: Clock, *,
        show: Callable[[str], Show] = lambda _job: hidden,
    ) -> None:  # fmt: skip
        """`show`: what is told of a job's progress."""
        self._settings, self._sources, self._restic = settings, sources, restic
        self._pings, self._clock, self._show = pings, clock, show
        self._file = settings.state_dir / "status.json"
        self._status = past.load(self._file, clock.now())

    @property
    def jobs(self) -> dict[str, timedelta]:
        kinds = {name: every for name, every in self._settings.kinds.items() if name in self._sources}
        if not kinds:
            return {}
        prune = self._settings.keep.every_seconds
        forgets = {PRUNE: timedelta(seconds=prune)} if prune is not None else {}
        return {**kinds, CHECK: timedelta(seconds=self._settings.check.every_seconds), **forgets}

    @property
    def status(self) -> Status:
        return self._status

    def step(self) -> bool:
        """Run the one job that waits longest; whether there was one."""
        due = schedule.due(self.jobs, self._status, self._clock.now())
        if not due:
            return False
        self.run(due[0])
        short = self._disks()
        if not short and not self.anomalies():
            self._pings.all_is_well()
        return True

    def _disks(self) -> str:
        """Which are short of room; told with each round, as a job that ran."""
        if not self._settings.disks.paths:
            return ""
        short = disks.short(self.rooms(), self._settings.disks)
        self._pings.job(disks.NAME, well=not short, words=short or "OK")
        return short

    def rooms(self) -> tuple[Room, ...]:
        return disks.look(self._settings.disks)

    def rest(self) -> float:
        """Seconds until something is due."""
        return schedule.rest(self.jobs, self._status, self._clock.now()).total_seconds()

    def anomalies(self) -> tuple[Anomaly, ...]:
        return anomalies.find(self.jobs, self._status, self._clock.now(), late=self._settings.alarms.late)

    def run(self, job: str) -> VaultError | None:
        """One job, now; why it failed, which is also written down, logged and told its monitor."""
        before = self._status.of(job)
        try:
            after = self._done(job, before)
        except (VaultError, OSError) as raised:
            error = raised if isinstance(raised, VaultError) else _of_disk(raised)
            log.error("job.failed", job=job, error=str(error))
            self._pings.job(job, well=False, words=str(error))
            self._put(job, before.failed(self._clock.now(), str(error)))
            return error
        self._put(job, after)
        wrong = [one.words for one in self.anomalies() if one.job == job]
        self._pings.job(job, well=not wrong, words="; ".join(wrong) or "OK")
        for words in wrong:
            log.warning("job.anomaly", job=job, what=words)
        return None

    def _done(self, job: str, before: Past) -> Past:
        if job == CHECK:
            return self._check(before)
        return self._prune(before) if job == PRUNE else self._snapshot(job, before)

    def _snapshot(self, job: str, before: Past) -> Past:
        source, now = self._sources[job], self._clock.now()
        mark = source.mark()
        if mark and mark == before.mark:
            return before.ended_well(now, mark=mark)
        staged = source.stage(self._settings.state_dir / "spool" / job, now)
        done = self._restic.backup(job, staged.paths, exclude=staged.exclude, show=self._show(job))
        log.info("job.snapshot", job=job, snapshot=done.snapshot_id, bytes=done.total_bytes_processed,
                 added=done.data_added)  # fmt: skip
        size = Size(
            at=utc(now), snapshot=done.snapshot_id, total=done.total_bytes_processed, added=done.data_added
        )  # fmt: skip
        return before.ended_well(now, mark=staged.manifest.mark, size=size)

    def _check(self, before: Past) -> Past:
        check(self._settings, self._restic, before.count)
        return before.ended_well(self._clock.now())

    def _prune(self, before: Past) -> Past:
        """Nothing is forgotten while something is wrong: it may be what is needed next."""
        wrong = [one for one in self.anomalies() if one.job != PRUNE]
        if wrong:
            raise BackupError(f"nothing is forgotten now: {wrong[0].words}")
        for one in self._restic.forget(self._settings.keep):
            log.info("job.pruned", kind=one.kind, kept=one.kept, removed=one.removed)
        return before.ended_well(self._clock.now())

    def _put(self, job: str, after: Past) -> None:
        """On a full disk it is only remembered: the next round writes it."""
        self._status = self._status.put(job, after)
        try:
            past.save(self._file, self._status)
        except OSError as error:
            log.error("status.unwritten", error=str(_of_disk(error)))


def _of_disk(error: OSError) -> BackupError:
    return BackupError(f"{error.filename or 'the disk'}: {error.strerror}")


def check(settings: Settings, restic: Restic, number: int) -> bool:
    """Names first, which any flipped byte spoils; then restic's own. Raises Damaged. Whether names could be read."""
    seen = names.check(
        restic.repository, timeout=settings.timeout_seconds, over_network=settings.check.over_network
    )  # fmt: skip
    restic.check(number, settings.check.subsets)
    return seen
