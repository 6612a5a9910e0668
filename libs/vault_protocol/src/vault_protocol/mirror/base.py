"""What the mirror put where: the recorded base, without which nothing in the folder is a decision.

One SQLite file outside the vault. What is about to be written is recorded before it is written, so that after a kill
the mirror's own bytes are never taken for the owner's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from vault_protocol import disk, layout
from vault_protocol.errors import VaultError
from vault_protocol.hub import BlobId, CommitId
from vault_protocol.task import TaskId

Stamp: TypeAlias = tuple[int, int, int, int]
"""mtime_ns, ctime_ns, size, inode: equal means unchanged, once the clock of the file system has moved on."""

_TABLES = """
CREATE TABLE IF NOT EXISTS head (commit_id TEXT NOT NULL, whole INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS notes (path TEXT PRIMARY KEY, blob TEXT, digest TEXT NOT NULL, stamp TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ours (note TEXT, digest TEXT, PRIMARY KEY (note, digest)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS offered (path TEXT, digest TEXT, PRIMARY KEY (path, digest)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intents (temp TEXT PRIMARY KEY, path TEXT NOT NULL, blob TEXT, digest TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS behind (path TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class BaseInUse(VaultError):
    """Another process mirrors this folder: stop that one first."""


@dataclass(frozen=True)
class Record:
    """What the mirror left at a path. `blob` is None for a file that was there before the mirror and is not trusted."""

    blob: BlobId | None
    digest: str
    stamp: Stamp | None = None


@dataclass(frozen=True)
class Intent:
    """A write that is about to happen: `path` will hold `blob`, or nothing; `temp` is its temporary name beside it."""

    temp: str
    path: str
    blob: BlobId | None
    digest: str | None


class Base:
    """The records in memory, written through. One process at a time."""

    def __init__(self, file: Path) -> None:
        """Raises BaseInUse, sqlite3.Error for what the disk says."""
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        self._db = sqlite3.connect(file, isolation_level=None, timeout=1.0, check_same_thread=False)
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(_TABLES)
        except sqlite3.OperationalError as error:
            self._db.close()
            if disk.named(error, file):
                raise
            raise BaseInUse(f"{file}: {error}. Is another countersign running on this folder?") from None
        self._load()

    def _load(self) -> None:
        rows = self._db.execute("SELECT path, blob, digest, stamp FROM notes")
        self._records = {path: Record(blob, digest, _stamp(stamp)) for path, blob, digest, stamp in rows}
        trusted = (path for path, record in self._records.items() if record.blob)
        self._where = {place.id: path for path in trusted if (place := layout.place_of(path))}
        self._behind = {path for (path,) in self._db.execute("SELECT path FROM behind")}
        found = self._db.execute("SELECT commit_id, whole FROM head").fetchone()
        self.commit: CommitId | None = CommitId(found[0]) if found else None
        """What the folder reflects; None before the first run is through."""
        self.whole = bool(found and found[1])
        """False while it is on its way to another commit: some paths may be there already."""

    @property
    def records(self) -> Mapping[str, Record]:
        """Path → what was put there."""
        return MappingProxyType(self._records)

    def blob(self, path: str) -> BlobId | None:
        """What the mirror put here, if anything."""
        return self._records[path].blob if path in self._records else None

    def is_recorded(self, path: str) -> bool:
        return self.blob(path) is not None

    @property
    def where(self) -> Mapping[TaskId, str]:
        """Task id → the path where the mirror put it."""
        return MappingProxyType(self._where)

    @property
    def behind(self) -> frozenset[str]:
        """Paths that could not be brought to `commit` (a link or a folder stood in the way)."""
        return frozenset(self._behind)

    @contextmanager
    def saving(self, *, durable: bool) -> Iterator[None]:
        """One transaction; `durable` waits for the disk, otherwise a power loss may forget it."""
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self._db.execute("BEGIN")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # on a full disk SQLite may have rolled back by itself
                self._db.execute("ROLLBACK")
            self._load()
            raise

    def put(self, path: str, record: Record) -> None:
        stamp = ",".join(map(str, record.stamp)) if record.stamp else None
        self._db.execute("REPLACE INTO notes VALUES (?, ?, ?, ?)", (path, record.blob, record.digest, stamp))
        self._db.execute("DELETE FROM offered WHERE path = ?", (path,))
        self._forget_ours(path, but=record.digest)
        self._records[path] = record
        place = layout.place_of(path)
        if place and record.blob:
            self._where[place.id] = path

    def stamp(self, path: str, stamp: Stamp) -> None:
        """The file was read again and is as recorded."""
        self._db.execute("UPDATE notes SET stamp = ? WHERE path = ?", (",".join(map(str, stamp)), path))
        self._records[path] = replace(self._records[path], stamp=stamp)

    def forget(self, path: str) -> None:
        self._db.execute("DELETE FROM notes WHERE path = ?", (path,))
        self._db.execute("DELETE FROM offered WHERE path = ?", (path,))
        self._forget_ours(path, but="")
        self._records.pop(path, None)
        place = layout.place_of(path)
        if place and self._where.get(place.id) == path:
            del self._where[place.id]

    def know(self, path: str, digest: str) -> None:
        """These bytes of this note are in a commit."""
        self._db.execute("INSERT OR IGNORE INTO ours VALUES (?, ?)", (_note(path), digest))

    def knows(self, path: str, digest: str | None) -> bool:
        """Whether a task, under any of its paths, ever had these bytes in a commit; another note: has them now."""
        found = self._db.execute("SELECT 1 FROM ours WHERE note = ? AND digest = ?", (_note(path), digest))
        return found.fetchone() is not None

    def _forget_ours(self, path: str, *, but: str) -> None:
        """Only tasks have older versions that matter; a dashboard would fill the disk with them."""
        if layout.place_of(path) is None:
            self._db.execute("DELETE FROM ours WHERE note = ? AND digest != ?", (path, but))

    def offer(self, path: str, digest: str) -> None:
        """These bytes ("": that it is gone) were given to the caller to be published at this path."""
        self._db.execute("INSERT OR IGNORE INTO offered VALUES (?, ?)", (path, digest))

    def offered(self, path: str, digest: str) -> bool:
        found = self._db.execute("SELECT 1 FROM offered WHERE path = ? AND digest = ?", (path, digest))
        return found.fetchone() is not None

    def intend(self, intents: Sequence[Intent]) -> None:
        rows = [(intent.temp, intent.path, intent.blob, intent.digest) for intent in intents]
        self._db.executemany("INSERT INTO intents VALUES (?, ?, ?, ?)", rows)
        for intent in intents:
            if intent.digest:
                self.know(intent.path, intent.digest)

    def intents(self) -> tuple[Intent, ...]:
        """What an earlier run began and may not have finished."""
        rows = self._db.execute("SELECT temp, path, blob, digest FROM intents").fetchall()
        return tuple(Intent(*row) for row in rows)

    def done(self, intents: Iterable[Intent]) -> None:
        self._db.executemany("DELETE FROM intents WHERE temp = ?", [(intent.temp,) for intent in intents])

    def is_behind(self, path: str, behind: bool) -> None:
        if behind and path not in self._behind:
            self._db.execute("INSERT INTO behind VALUES (?)", (path,))
            self._behind.add(path)
        elif not behind and path in self._behind:
            self._db.execute("DELETE FROM behind WHERE path = ?", (path,))
            self._behind.discard(path)

    def depart(self) -> None:
        """The folder is about to leave the commit it reflects."""
        self._db.execute("UPDATE head SET whole = 0")
        self.whole = False

    def reflect(self, commit: CommitId) -> None:
        """The folder is at this commit."""
        self._db.execute("DELETE FROM head")
        self._db.execute("INSERT INTO head VALUES (?, 1)", (commit,))
        self.commit, self.whole = commit, True

    def close(self) -> None:
        self._db.close()


def _note(path: str) -> str:
    """A task is one note wherever it stands."""
    place = layout.place_of(path)
    return place.id if place else path


def _stamp(text: str | None) -> Stamp | None:
    if text is None:
        return None
    mtime, ctime, size, inode = map(int, text.split(","))
    return mtime, ctime, size, inode
