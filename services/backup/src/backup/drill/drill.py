"""A drill from its first step to its last: fetch, bring up, prove, tell; whatever happens, nothing of it stays."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import structlog

from backup import hub_restored
from backup.books_source import KIND as BOOKS
from backup.drill import ledger, serving
from backup.drill.engine import Stand, engine
from backup.drill.report import Report
from backup.errors import NothingThere, NotProven
from backup.fetched import choose, fetch
from backup.hub_source import KIND as VAULT
from backup.past import Status
from backup.restic import Restic
from backup.settings import Settings
from vault_protocol.clock import Clock

log = structlog.get_logger()

Say = Callable[[str], None]


def run(settings: Settings, restic: Restic, status: Status, clock: Clock, say: Say) -> Report:
    """Of what the settings name. Raises BackupError for what does not come back, or is not what it was."""
    scratch = settings.state_dir / "drill"
    _away(scratch)
    begun, started = clock.now(), time.monotonic()
    report = Report(begun, 0, 0)
    try:
        if settings.vault is None and settings.books is None:
            raise NothingThere("the settings name neither vault nor books; there is nothing to drill")
        ages = []
        if settings.vault is not None:
            report, age = _vault(settings, restic, report, status, scratch, say)
            ages.append(age)
        if settings.books is not None:
            report, age = _books(settings, restic, report, scratch, say)
            ages.append(age)
    finally:
        _away(scratch)
    return replace(report, rto=round(time.monotonic() - started), rpo=max(ages))


def _vault(
    settings: Settings, restic: Restic, report: Report, status: Status, scratch: Path, say: Say
) -> tuple[Report, int]:
    say("vault: fetching the newest snapshot")
    fetched = fetch(restic, choose(restic, VAULT), scratch / "fetched-vault")
    home = scratch / "hub"
    hub_restored.build(fetched, home)
    say("vault: counting, git fsck, doctor")
    proof = hub_restored.prove(fetched, home)
    served = _serve(settings, home, say)
    if proof.findings:
        worst = proof.findings[0]
        raise NotProven(f"{len(proof.findings)} findings in the restored vault, first: {worst.path}: {worst.what}")
    # A vault that did not change is not snapshotted again: it was seen to be the same until then.
    past = status.of(VAULT)
    seen = past.last_well if past.mark == fetched.manifest.mark else None
    return replace(report, vault=proof, served=served), _age(report.at, seen or fetched.manifest.moment)


def _serve(settings: Settings, home: Path, say: Say) -> bool:
    """Whether there is a program to serve it: an image that the settings name, or one installed beside this one."""
    image = settings.drill.hub_image
    if image is not None:
        with _stand(settings) as stand:
            say(f"vault: serving it by {image} on {stand.name}, which leads nowhere")
            serving.serve_on(stand, home, image, settings.drill)
        return True
    if serving.can_serve():
        say("vault: serving it")
        serving.serve_once(home, settings.drill.seconds)
        return True
    return False


def _books(settings: Settings, restic: Restic, report: Report, scratch: Path, say: Say) -> tuple[Report, int]:
    assert settings.books is not None
    say("books: fetching the newest snapshot")
    fetched = fetch(restic, choose(restic, BOOKS), scratch / "fetched-books")
    with _stand(settings) as stand:
        say(f"books: a fresh PostgreSQL and Odoo on {stand.name}, which leads nowhere")
        proof = ledger.bring_up(stand, fetched, settings.books, settings.drill)
    return replace(report, books=proof), _age(report.at, fetched.manifest.moment)


@contextmanager
def _stand(settings: Settings) -> Iterator[Stand]:
    """A network that leads nowhere; nothing of it stays."""
    with engine(settings.drill.seconds) as client:
        stand = Stand(client, f"countersign-drill-{secrets.token_hex(4)}")
        try:
            stand.open()
            yield stand
        finally:
            stand.close()


def _age(at: datetime, moment: datetime) -> int:
    return max(0, round((at - moment).total_seconds()))


def _away(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
