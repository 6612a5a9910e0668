"""A restore for real: into places that are empty. What went out once does not go out again.

The vault is safe by its own rules: every agent that followed the newer head meets one that does not descend from it,
holds every effect and asks the owner. Of the books, mails that were waiting to go out are cancelled.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from backup import hub_restored, ledger_facts
from backup.books_restored import prove_files
from backup.database import Access, Database
from backup.errors import BackupError, NotProven
from backup.fetched import Fetched
from backup.manifest import Manifest
from backup.settings import Books, Folder

Say = Callable[[str], None]


def vault(fetched: Fetched, home: Path, say: Say) -> None:
    """The hub's folder, ready to be served. Raises BackupError."""
    hub_restored.build(fetched, home)
    proof = hub_restored.prove(fetched, home)
    say(f"vault: {proof.commits} commits, {proof.tasks} tasks, {len(proof.findings)} findings, in {home}")
    for one in proof.findings:
        say(f"  {one.invariant} {one.path}: {one.what}")


def books(fetched: Fetched, settings: Books, scratch: Path, timeout: float, say: Say) -> None:
    """A database that is not there yet, and a filestore that is empty. Raises BackupError."""
    if settings.filestore.exists() and any(settings.filestore.iterdir()):
        raise BackupError(f"{settings.filestore} is not empty; move it away first, nothing is ever restored over it")
    database = Database(Access.of(settings, scratch, timeout))
    database.create()
    database.restore(fetched.part("dump"))
    found = ledger_facts.read(database.ask)
    wrong = ledger_facts.differences(fetched.manifest.facts, found)
    if wrong:
        raise NotProven(f"the restored books differ from the dumped ones in: {', '.join(wrong)}")
    database.ask(ledger_facts.UNSENT)
    _copy(fetched.part("filestore"), settings.filestore)
    files = prove_files(database.ask(ledger_facts.STORED).splitlines(), settings.filestore)
    say(f"books: database {settings.database} and {files} files; mails that waited in it are cancelled")


def folder(fetched: Fetched, settings: Folder, say: Say) -> None:
    """A folder that is not there yet, or is empty. Raises BackupError."""
    target = settings.path
    if target.exists() and any(target.iterdir()):
        raise BackupError(f"{target} is not empty; move it away first, nothing is ever restored over it")
    _copy(fetched.part("folder"), target)
    for role in sqlite_of(fetched.manifest):
        shutil.copy2(fetched.part(f"sqlite:{role}"), target / role)
    say(f"{settings.name}: in {target}")


def _copy(source: Path, target: Path) -> None:
    """As they were, with their owners when we may give files away."""
    shutil.copytree(source, target, dirs_exist_ok=True, symlinks=True)
    if os.geteuid() == 0:
        for one in (source, *source.rglob("*")):
            status = one.lstat()
            os.lchown(target / one.relative_to(source), status.st_uid, status.st_gid)


def sqlite_of(manifest: Manifest) -> list[str]:
    return [role.removeprefix("sqlite:") for role in manifest.paths if role.startswith("sqlite:")]
