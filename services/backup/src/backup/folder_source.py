"""A folder as it is: a service's own files, or configuration. Databases in it are copied whole; secrets stop it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from backup.errors import SourceFailed
from backup.manifest import Manifest, Staged
from backup.settings import Folder
from vault_protocol.canonical import utc
from vault_protocol.scan import OwnSecrets

LARGEST = 4 * 1024 * 1024
"""Bytes of a file that is looked through for secrets; what holds one is a small file of settings."""


class FolderSource:
    """Every method raises SourceFailed."""

    def __init__(self, settings: Folder, secrets: OwnSecrets) -> None:
        self._settings, self._secrets = settings, secrets

    def mark(self) -> str:
        return ""

    def stage(self, spool: Path, now: datetime) -> Staged:
        folder, name = self._settings.path, self._settings.name
        if not folder.is_dir():
            raise SourceFailed(f"{name}: {folder} is not there")
        self._hold_back_secrets(folder)
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        paths = {"folder": str(folder)}
        for number, database in enumerate(self._settings.sqlite):
            copy = spool / f"{number}.sqlite"
            _copy(folder / database, copy)
            paths[f"sqlite:{database}"] = str(copy)
        left_out = [
            str(folder / f"{database}{end}") for database in self._settings.sqlite for end in ("", "-wal", "-shm")
        ]
        manifest = Manifest(kind=name, taken=utc(now), paths=paths)
        copies = (Path(path) for role, path in paths.items() if role != "folder")
        return Staged(manifest, (manifest.write(spool), folder, *copies), (*self._settings.exclude, *left_out))

    def _hold_back_secrets(self, folder: Path) -> None:
        for file in sorted(folder.rglob("*")):
            try:
                if file.is_file() and not file.is_symlink() and file.stat().st_size <= LARGEST:
                    held = self._secrets.found_in(file.read_bytes())
                else:
                    held = False
            except FileNotFoundError:
                continue
            except OSError as error:
                raise SourceFailed(f"{file}: {error.strerror}") from None
            if held and not any(file.match(pattern) for pattern in self._settings.exclude):
                raise SourceFailed(f"{file} holds one of secret_files; exclude it, or take the secret out")


def _copy(database: Path, copy: Path) -> None:
    """A whole copy of a database that others write to. One whose program has ended has no log beside it, and where we
    may only read, SQLite opens that one as a file that stays as it is."""
    fresh = copy.with_suffix(".tmp")
    fresh.unlink(missing_ok=True)
    try:
        rests = not database.with_name(f"{database.name}-wal").exists()
        address = f"{database.resolve().as_uri()}?mode=ro{'&immutable=1' if rests else ''}"
        with (
            closing(sqlite3.connect(address, uri=True, timeout=30)) as source,
            closing(sqlite3.connect(fresh)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise SourceFailed(f"{database}: {error}") from None
    fresh.replace(copy)
