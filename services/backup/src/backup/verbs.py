"""What each command does, with everything put together for it."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import structlog

from backup import agent, past, pull, restore, sources, surface
from backup.anomalies import find
from backup.errors import BackupError, BadSettings, Damaged
from backup.fetched import choose, fetch
from backup.messages import Progress
from backup.pings import Pings
from backup.restic import Restic, Show, hidden
from backup.settings import Settings
from backup.work import Work, check
from vault_protocol.alone import alone
from vault_protocol.canonical import moment
from vault_protocol.clock import SystemClock
from vault_protocol.errors import VaultError
from vault_protocol.pages import Pages

log = structlog.get_logger()

Verb = Callable[[Settings, argparse.Namespace], int]
LONGEST_REST = 30.0
"""Seconds between two looks at what is due, and between two signs of life at least."""


def init(settings: Settings, _chosen: argparse.Namespace) -> int:
    made = Restic.of(settings).init()
    print("a new repository" if made else "it is there already")
    return 0


def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Until SIGTERM or SIGINT; with `--once`, each job once, and 1 when one failed."""
    restic, clock, pings = Restic.of(settings), SystemClock(), Pings(settings.alarms)
    if chosen.init and chosen.once is not None:
        restic.init()
    with alone(settings.state_dir, "backup"):
        work = Work(settings, sources.of(settings), restic, pings, clock, show=_shown)
        return _run(work, restic, pings, settings, chosen)


def _run(work: Work, restic: Restic, pings: Pings, settings: Settings, chosen: argparse.Namespace) -> int:
    if not work.jobs:
        raise BadSettings("vault, books and folders are all missing: there is nothing to back up")
    if chosen.once is not None:
        unknown = sorted({*chosen.once} - {*work.jobs})
        if unknown:
            raise BadSettings(f"there is no job {', '.join(unknown)}; there are {', '.join(work.jobs)}")
        failed = [error for job in chosen.once or work.jobs if (error := work.run(job)) is not None]
        if failed:
            raise failed[0]
        return 0
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("backup.started", jobs=sorted(work.jobs))
    with ExitStack() as stack:
        if settings.health_port is not None:
            answer = partial(surface.answer, work)
            stack.enter_context(Pages(settings.health_host, settings.health_port, answer))
        speaks, begun = None, not chosen.init
        while not stop.is_set():
            speaks = _alive(settings, stack, speaks)
            begun = begun or _begin(restic)
            pings.again()
            if not work.step():
                stop.wait(min(work.rest(), LONGEST_REST))
    log.info("backup.ended")
    return 0


def _begin(restic: Restic) -> bool:
    """Whether there is a repository, made if need be. A storage that is away or full ends nothing: the jobs fail, and
    their monitors say why."""
    try:
        restic.init()
    except VaultError as error:
        log.error("repository.trouble", error=str(error))
        return False
    return True


def _alive(settings: Settings, stack: ExitStack, speaks: agent.Reporter | None) -> agent.Reporter | None:
    """A hub that is away or says no stops no backup."""
    if settings.agent is None:
        return None
    try:
        speaks = speaks or stack.enter_context(agent.speaking(settings.agent, settings.state_dir, SystemClock()))
        speaks.alive()
    except VaultError as error:
        log.warning("agent.unheard", error=str(error))
    return speaks


def status(settings: Settings, chosen: argparse.Namespace) -> int:
    clock = SystemClock()
    now = clock.now()
    work = Work(settings, sources.of(settings), Restic.of(settings), Pings(settings.alarms), clock)
    wrong = find(work.jobs, work.status, now, late=settings.alarms.late)
    if chosen.json:
        told = {
            "well": not wrong,
            "anomalies": [{"job": one.job, "what": one.what.value, "words": one.words} for one in wrong],
            "jobs": {job: work.status.of(job).model_dump() for job in work.jobs},
        }
        print(json.dumps(told, indent=1))
    else:
        for job, every in work.jobs.items():
            one = work.status.of(job)
            size = f", {one.sizes[-1].total:,} bytes in {one.sizes[-1].snapshot}" if one.sizes else ""
            print(f"{job:12} {one.well or 'never':20} every {every.total_seconds():.0f} s{size}")
        for anomaly in wrong:
            print(f"! {anomaly.words}")
    return 1 if wrong else 0


def check_(settings: Settings, chosen: argparse.Namespace) -> int:
    restic = Restic.of(settings)
    pings, whole = Pings(settings.alarms), settings
    if chosen.all:
        thorough = settings.check.model_copy(update={"subsets": 1, "over_network": True})
        whole = settings.model_copy(update={"check": thorough})
    try:
        names = check(
            whole, restic, past.load(settings.state_dir / "status.json", SystemClock().now()).of("check").count
        )
    except Damaged as error:
        pings.job("check", well=False, words=str(error))
        raise
    pings.job("check", well=True)
    print("sound" if names else "sound, by restic's own check; names cannot be read here, check the second copy")
    return 0


def prune(settings: Settings, chosen: argparse.Namespace) -> int:
    if settings.repository.append_only and not chosen.dry_run:
        raise BadSettings("append_only: prune from the machine that has the credential for it, with its own settings")
    for one in Restic.of(settings).forget(settings.keep, dry_run=chosen.dry_run):
        print(f"{one.kind}: {one.kept} stay, {one.removed} go")
    return 0


def pull_(settings: Settings, _chosen: argparse.Namespace) -> int:
    restic, pings = Restic.of(settings), Pings(settings.alarms)
    try:
        pull.pull(settings, restic)
    except VaultError as error:
        pings.job("pull", well=False, words=str(error))
        raise
    ages = pull.ages(restic, SystemClock().now())
    for kind, age in ages.items():
        print(f"{kind}: newest is {age.total_seconds():.0f} s old")
    if not ages or min(ages.values()) > settings.pull_every:
        words = "there is nothing new: are backups made, and is this the right repository?"
        pings.job("pull", well=False, words=words)
        raise BackupError(words)
    pings.job("pull", well=True)
    return 0


def drill(settings: Settings, chosen: argparse.Namespace) -> int:
    """The last line on stdout is `RTO N s, RPO N s`."""
    from backup.drill import drill as drills  # the Docker SDK is for drills alone: a backup runs without it

    clock, pings = SystemClock(), Pings(settings.alarms)
    say = (lambda _words: None) if chosen.quiet else (lambda words: print(words, file=sys.stderr, flush=True))
    known = past.load(settings.state_dir / "status.json", clock.now())
    given = {f"{role}_image": vars(chosen)[f"{role}_image"] for role in ("hub", "postgres", "odoo")}
    named = {name: image for name, image in given.items() if image is not None}
    settings = settings.model_copy(update={"drill": settings.drill.model_copy(update=named)})
    try:
        report = drills.run(settings, Restic.of(settings), known, clock, say)
    except VaultError as error:
        pings.job("drill", well=False, words=str(error))
        _tell(settings, {"result": "failed"}, f"# Restore drill\n\nIt failed: {type(error).__name__}.\n")
        raise
    for what, how in report.lines():
        print(f"{what}: {how}")
    _tell(settings, report.facts(), report.note())
    pings.job("drill", well=True, words=report.last_line())
    print(report.last_line())
    return 0


def _tell(settings: Settings, facts: dict[str, str | int], note: str) -> None:
    """In the vault, when there is an agent for it. What it cannot take is said and changes nothing."""
    from backup.drill.report import EVENT

    if settings.agent is None:
        return
    clock = SystemClock()
    try:
        with agent.speaking(settings.agent, settings.state_dir / "drills", clock) as speaks:
            print(f"reported in {speaks.report(EVENT, facts, note, clock.now())}", file=sys.stderr)
    except VaultError as error:
        log.error("drill.untold", error=str(error))


def restore_(settings: Settings, chosen: argparse.Namespace) -> int:
    known = {"vault": settings.vault, "books": settings.books, **{one.name: one for one in settings.folders}}
    unknown = [kind for kind in chosen.kinds if known.get(kind) is None]
    if unknown:
        raise BadSettings(f"the settings name no {', '.join(unknown)}")
    if chosen.snapshot and len(chosen.kinds) > 1:
        raise BadSettings("--snapshot is for one kind; use --before for several of the same time")
    restic, scratch = Restic.of(settings), settings.state_dir / "restore"
    before = moment(chosen.before) if chosen.before else None
    picked = {kind: choose(restic, kind, before=before, id_=chosen.snapshot) for kind in chosen.kinds}
    for kind, one in picked.items():
        print(f"{kind}: snapshot {one.id[:8]} of {one.time:%Y-%m-%d %H:%M:%S} UTC")
    if not chosen.yes:
        print("Type `restore` to go on: ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip() != "restore":
            raise BackupError("nothing was restored")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        for kind, one in picked.items():
            fetched = fetch(restic, one, scratch / kind)
            if kind == "vault" and settings.vault is not None:
                restore.vault(fetched, settings.vault.home, print)
            elif kind == "books" and settings.books is not None:
                restore.books(fetched, settings.books, settings.state_dir / "scratch", settings.timeout_seconds, print)
            else:
                restore.folder(fetched, next(f for f in settings.folders if f.name == kind), print)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print("Start the services. Local holds every effect until the owner has decided: `countersign status`.")
    return 0


def _shown(job: str) -> Show:
    """A line that is rewritten while somebody looks; nothing in a log."""
    if not sys.stderr.isatty():
        return hidden

    def show(progress: Progress) -> None:
        print(f"\r{job}: {progress.percent_done:4.0%}", end="\n" if progress.percent_done >= 1 else "", file=sys.stderr)

    return show


VERBS: dict[str, Verb] = {
    "init": init, "run": run, "status": status, "check": check_, "prune": prune, "pull": pull_, "drill": drill,
    "restore": restore_,
}  # fmt: skip
