"""The books: first the database as of one moment, then the files that its records name."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from backup import ledger_facts
from backup.database import Access, Database
from backup.errors import SourceFailed
from backup.manifest import Manifest, Staged
from backup.settings import Books
from vault_protocol.canonical import utc

KIND = "books"


class BooksSource:
    """Odoo goes on working meanwhile. Every method raises SourceFailed."""

    def __init__(self, settings: Books, scratch: Path, timeout: float) -> None:
        self._settings = settings
        self._database = Database(Access.of(settings, scratch, timeout))

    def mark(self) -> str:
        """None: a database is dumped whether or not somebody wrote."""
        return ""

    def stage(self, spool: Path, now: datetime) -> Staged:
        """A dump that failed half way never gets as far as restic, which would take it as it is."""
        if not self._settings.filestore.is_dir():
            raise SourceFailed(f"the filestore {self._settings.filestore} is not there")
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        dump, fresh = spool / "books.dump", spool / "books.tmp"
        with self._database.moment() as moment:
            found = ledger_facts.read(moment.ask)
            self._database.dump(fresh, moment.snapshot)
        fresh.replace(dump)
        paths = {"dump": str(dump), "filestore": str(self._settings.filestore)}
        manifest = Manifest(kind=KIND, taken=utc(now), facts=found, paths=paths)
        return Staged(manifest, (manifest.write(spool), dump, self._settings.filestore))
