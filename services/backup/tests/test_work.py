"""Rounds of jobs against a program that talks as restic does; the real one is in the stack tests."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from backup import past, surface
from backup.errors import NoRepository, ResticFailed, SourceFailed
from backup.manifest import Manifest, Staged
from backup.pings import Pings
from backup.restic import Restic
from backup.settings import Alarms, Disks, Keep, Repository, Settings
from backup.settings import Vault as VaultSettings
from backup.work import Work
from vault_protocol.canonical import utc
from vault_protocol.testing import TestClock

SUMMARY = json.dumps(
    {
        "message_type": "summary", "files_new": 1, "files_changed": 0, "files_unmodified": 0, "data_added": 10,
        "total_files_processed": 1, "total_bytes_processed": 1000, "snapshot_id": "0e83d9f0",
    }
)  # fmt: skip
STATUS = '{"message_type":"status","percent_done":0.5}'


@dataclass
class Fake:
    """A source that is told what it looks like."""

    looks: str = "a"
    failing: bool = False
    staged: int = 0

    def mark(self) -> str:
        return self.looks

    def stage(self, spool: Path, now: datetime) -> Staged:
        if self.failing:
            raise SourceFailed("the disk is away")
        self.staged += 1
        return Staged(Manifest(kind="vault", taken=utc(now), mark=self.looks), (spool,))


@dataclass
class Round:
    folder: Path
    source: Fake = field(default_factory=Fake)
    clock: TestClock = field(default_factory=TestClock)
    told: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def restic(self, *lines: str, code: int = 0, stderr: str = "") -> Restic:
        """A program that says this; what it was asked stands in `asked`."""
        program = self.folder / "restic"
        said = "".join(f"printf '%s\\n' '{line}'\n" for line in lines)
        words = f'#!/bin/sh\necho "$*" >>{self.folder}/asked\nenv >{self.folder}/environment\n{said}'
        program.write_text(f"{words}printf '%s\\n' '{stderr}' >&2\nexit {code}\n", encoding="utf-8")
        program.chmod(0o755)
        repository = Repository(
            location=str(self.folder / "r"), password_file=self.folder / "password", append_only=False
        )
        return Restic(repository, host="vm", cache=self.folder / "cache", program=str(program), timeout=30)

    def work(self, restic: Restic, keep: Keep | None = None, disks: Disks | None = None) -> Work:
        for name in ("push", "dead", "disk"):
            (self.folder / name).write_text(f"http://{name}", encoding="utf-8")
        alarms = Alarms(
            push={"vault": self.folder / "push", "disks": self.folder / "disk"}, dead_man=self.folder / "dead"
        )
        settings = Settings(
            state_dir=self.folder / "state", repository=restic.repository, alarms=alarms,
            vault=VaultSettings(home=self.folder), keep=keep or Keep(), disks=disks or Disks(),
        )  # fmt: skip
        pings = Pings(alarms, lambda url, query: self.told.append((url, query)))
        return Work(settings, {"vault": self.source}, restic, pings, self.clock)


@pytest.fixture
def jobs(tmp_path: Path) -> Round:
    return Round(tmp_path)


def test_what_has_not_changed_is_seen_to_be_the_same_and_not_snapshotted_again(jobs: Round) -> None:
    work = jobs.work(jobs.restic(STATUS, SUMMARY))
    assert work.run("vault") is None
    first = work.status.of("vault")
    jobs.clock.tick(timedelta(minutes=1))
    assert work.run("vault") is None
    second = work.status.of("vault")
    assert (jobs.source.staged, len(second.sizes)) == (1, 1)
    assert first.last_well != second.last_well == jobs.clock.now()
    jobs.source.looks = "b"
    work.run("vault")
    assert jobs.source.staged == 2
    assert jobs.told[0] == ("http://push", {"status": "up", "msg": "OK"})


def test_a_failure_is_written_down_and_told_and_the_next_round_tries_again(jobs: Round) -> None:
    work = jobs.work(jobs.restic(SUMMARY))
    jobs.source.failing = True
    assert "disk is away" in str(work.run("vault"))
    assert jobs.told == [("http://push", {"status": "down", "msg": "the disk is away"})]
    known = past.load(jobs.folder / "state" / "status.json", jobs.clock.now())
    assert (known.of("vault").failures, known.of("vault").error) == (1, "the disk is away")
    jobs.source.failing = False
    assert not jobs.work(jobs.restic(SUMMARY)).run("vault")
    assert past.load(jobs.folder / "state" / "status.json", jobs.clock.now()).of("vault").failures == 0


def test_a_round_runs_what_is_due_and_rests_until_the_next(jobs: Round) -> None:
    work = jobs.work(jobs.restic(SUMMARY))
    assert [work.step(), work.step(), work.step()] == [True, True, False]
    assert 0 < work.rest() <= 60
    assert ("http://dead", {}) in jobs.told
    asked = (jobs.folder / "asked").read_text(encoding="utf-8")
    assert "--read-data-subset=1/7" in asked


def test_the_dead_man_is_told_nothing_while_something_is_wrong(jobs: Round) -> None:
    work = jobs.work(jobs.restic(SUMMARY))
    jobs.source.failing = True
    work.run("vault")
    work.run("vault")
    jobs.told.clear()
    work.run("check")
    assert work.step() is False
    jobs.clock.tick(timedelta(minutes=1))
    assert work.step() is True
    assert [url for url, _ in jobs.told] == ["http://push"]


def test_where_it_may_forget_it_prunes_by_itself_but_not_while_something_is_wrong(jobs: Round) -> None:
    work = jobs.work(jobs.restic(SUMMARY), Keep(every_seconds=3600))
    assert "prune" in work.jobs
    jobs.source.failing = True
    work.run("vault")
    work.run("vault")
    assert "nothing is forgotten now: vault: failed 2 times" in str(work.run("prune"))
    assert not (jobs.folder / "asked").exists()
    jobs.source.failing = False
    work.run("vault")
    jobs.restic("[]")
    assert work.run("prune") is None
    assert "--keep-within 2d" in (jobs.folder / "asked").read_text(encoding="utf-8")


def test_a_disk_without_room_is_told_and_the_dead_man_hears_nothing(jobs: Round) -> None:
    work = jobs.work(jobs.restic(SUMMARY), disks=Disks(paths=(jobs.folder, Path("/nowhere")), least_percent=0))
    assert work.step()
    assert ("http://disk", {"status": "up", "msg": "OK"}) in jobs.told
    assert ("http://dead", {}) in jobs.told
    assert f'disk_free_bytes{{path="{jobs.folder}"}} ' in surface.answer(work, "/metrics")[1]
    jobs.told.clear()
    jobs.clock.tick(timedelta(days=1))
    crowded = jobs.work(jobs.restic(SUMMARY), disks=Disks(paths=(jobs.folder, Path("/nowhere")), least_percent=100))
    assert crowded.step()
    [words] = [query["msg"] for url, query in jobs.told if url == "http://disk"]
    assert str(jobs.folder) in words
    assert "/nowhere: 0.0 % free" in words
    assert ("http://dead", {}) not in jobs.told


def test_a_full_disk_of_its_own_ends_nothing_and_is_told(jobs: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    work = jobs.work(jobs.restic(SUMMARY))
    full = OSError(errno.ENOSPC, "No space left on device", "/data")

    def no_room(*_: object) -> None:
        raise full

    monkeypatch.setattr(past, "save", no_room)
    monkeypatch.setattr(jobs.source, "stage", no_room)
    assert "/data: No space left on device" in str(work.run("vault"))
    assert jobs.told == [("http://push", {"status": "down", "msg": "/data: No space left on device"})]
    assert work.status.of("vault").failures == 1
    monkeypatch.undo()
    assert work.run("vault") is None
    assert past.load(jobs.folder / "state" / "status.json", jobs.clock.now()).of("vault").failures == 0


def test_a_repository_that_may_only_grow_is_not_pruned_by_itself(tmp_path: Path) -> None:
    grows = Repository(location="r", password_file=tmp_path / "p", append_only=True)
    with pytest.raises(ValueError, match="append_only"):
        Settings(state_dir=tmp_path, repository=grows, keep=Keep(every_seconds=3600))


def test_the_numbers_say_how_each_job_stands(jobs: Round) -> None:
    work = jobs.work(jobs.restic(SUMMARY))
    work.run("vault")
    code, numbers = surface.answer(work, "/metrics")
    assert code == 200
    assert f'last_well_timestamp_seconds{{job_name="vault"}} {int(jobs.clock.now().timestamp())}\n' in numbers
    assert 'countersign_backup_snapshot_bytes{job_name="vault"} 1000\n' in numbers
    assert "countersign_backup_anomalies 0\n" in numbers
    jobs.source.looks, jobs.source.failing = "b", True
    work.run("vault")
    work.run("vault")
    numbers = surface.answer(work, "/metrics")[1]
    assert 'failures{job_name="vault"} 2\n' in numbers
    assert "countersign_backup_anomalies 1\n" in numbers
    assert surface.answer(work, "/healthz")[0] == 200, "the process is well; its monitors tell the rest"
    assert surface.answer(work, "/other")[0] == 404


@pytest.mark.parametrize(
    ("say", "kind", "words"),
    [
        (lambda r: r.restic(SUMMARY, code=3), SourceFailed, "could not read every file"),
        (lambda r: r.restic(code=1, stderr="Fatal: no space left"), ResticFailed, "no space left"),
        (lambda r: r.restic(STATUS), ResticFailed, "backup of vault"),
        (
            lambda r: r.restic(code=1, stderr="Fatal: unable to open config file: stat x"),
            NoRepository,
            "python -m backup init",
        ),
    ],
)
def test_a_restic_that_ends_badly_has_made_no_snapshot_that_counts(
    jobs: Round, say: Callable[[Round], Restic], kind: type[Exception], words: str
) -> None:
    work = jobs.work(say(jobs))
    error = work.run("vault")
    assert type(error) is kind
    assert words in str(error)
    assert (work.status.of("vault").sizes, work.status.of("vault").mark) == ((), "")


def test_restic_is_asked_with_the_password_by_file_and_nothing_of_the_callers_environment(
    jobs: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "from the caller")
    jobs.work(jobs.restic(SUMMARY)).run("vault")
    environment = (jobs.folder / "environment").read_text(encoding="utf-8")
    assert f"RESTIC_PASSWORD_FILE={jobs.folder}/password" in environment
    assert "from the caller" not in environment


def test_a_restic_that_hangs_is_ended(jobs: Round) -> None:
    restic = jobs.restic(SUMMARY)
    (jobs.folder / "restic").write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    hanging = Restic(
        restic.repository, host="vm", cache=jobs.folder / "c", program=str(jobs.folder / "restic"), timeout=0.3
    )
    with pytest.raises(ResticFailed, match="ended by signal"):
        hanging.snapshots()


def test_a_restic_that_is_not_there_is_named(jobs: Round) -> None:
    missing = Restic(jobs.restic().repository, host="vm", cache=jobs.folder / "c", program="no-such-restic")
    with pytest.raises(ResticFailed, match="no-such-restic cannot be started"):
        missing.snapshots()
