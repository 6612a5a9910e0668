"""The effect ledger: what was started and how it ended, on disk before it happens. One for each executor."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from local_agent.limits import Limit
from vault_protocol import disk
from vault_protocol.approval import Approval
from vault_protocol.canonical import moment, utc
from vault_protocol.errors import VaultError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS effects (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    connector TEXT NOT NULL,
    approval TEXT NOT NULL UNIQUE,
    nonce TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL,
    revision INTEGER NOT NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL,
    started TEXT NOT NULL,
    ended TEXT,
    tries INTEGER NOT NULL DEFAULT 1,
    detail TEXT NOT NULL DEFAULT '',
    tried TEXT
);
CREATE INDEX IF NOT EXISTS effects_by_task ON effects (task);
CREATE INDEX IF NOT EXISTS effects_by_start ON effects (connector, started);
CREATE TABLE IF NOT EXISTS switches (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


ROOM = 1 << 20
"""Bytes that must be free before anything starts: its outcome has to find a place, too."""


class State(StrEnum):
    """What is known of an effect."""

    STARTED = "started"
    """It may have happened: nobody has written down how it ended."""
    CONFIRMED = "confirmed"
    NOT_DONE = "not_done"
    """It surely did not happen, and may be tried again while its approval holds."""
    REFUSED = "refused"
    """The other side will not have it; this approval is spent."""
    UNKNOWN = "unknown"
    """Looked for, and not found out: the owner decides."""


LIVE = (State.STARTED, State.CONFIRMED, State.UNKNOWN)
"""States in which the effect happened or may have: the task gets no second one."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One row. `started` is also the Date of a mail, so that its bytes can be made again; `tried` is when the last
    try began."""

    sequence: int
    id: str
    connector: str
    approval: str
    task: str
    revision: int
    digest: str
    state: State
    started: datetime
    tried: datetime
    ended: datetime | None
    tries: int
    detail: str


class Paused(VaultError):
    """The owner pulled the kill switch."""


class DryRun(VaultError):
    """Everything was checked, and nothing is done: the owner has dry run on."""


class LimitReached(VaultError):
    """So many effects an hour or a day are allowed; `until` says when the next one is."""

    def __init__(self, connector: str, limit: int, span: str, until: datetime) -> None:
        self.until = until
        super().__init__(f"{limit} {connector} effects {span} are allowed; the next one at {utc(until)}")


class Revoked(VaultError):
    """The owner took this approval back before anything was started under it."""


class AlreadyDone(VaultError):
    """This task has an effect that happened or may have; it gets no second one."""

    def __init__(self, effect: Effect) -> None:
        self.effect = effect
        super().__init__(
            f"task {effect.task} already has an effect ({effect.state.value}, started {utc(effect.started)})"
        )


IN_MEMORY = Path(":memory:")
"""A ledger that lives as long as its process, and that no other opens: for simulations."""


@contextmanager
def _one_at_a_time(ledger: Path) -> Iterator[None]:
    """SQLite does not wait its turn to begin a write-ahead log: of two that open a new ledger one would fail."""
    handle = os.open(ledger.with_name(f"{ledger.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class Ledger:
    """SQLite with synchronous=FULL. Safe for several processes: every step is one immediate transaction."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = path.parent
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        try:
            with nullcontext() if path == IN_MEMORY else _one_at_a_time(path):
                self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        columns = {row["name"] for row in self._db.execute("PRAGMA table_info(effects)")}
        if "tried" not in columns:  # a ledger of before there were several kinds of effects
            self._db.execute("ALTER TABLE effects ADD COLUMN tried TEXT")

    def close(self) -> None:
        self._db.close()

    def begin(
        self, effect_id: str, connector: str, approval: Approval, *, now: datetime, limit: Limit, dry_run: bool
    ) -> tuple[Effect, bool]:
        """The durable `started` mark, and whether it was made just now.

        One transaction holds the pause switch, the rate limits, the single use of the approval, the one effect a
        task gets, and the mark. Raises Revoked, Paused, DryRun, LimitReached, AlreadyDone, or DiskTrouble when there is
        no ROOM; then nothing is used up.
        """
        with self._transaction():
            if self._find("id = ?", _revoked(approval)) is not None:
                raise Revoked("the owner took this approval back")
            found = self._find("id = ?", effect_id)
            if found is not None and found.state is not State.NOT_DONE:
                return found, False
            if self._switch("paused"):
                raise Paused(f"effects are paused ({self._switch('paused')}); `countersign resume` lets them go on")
            if dry_run:
                raise DryRun("dry run: all is checked, nothing is sent; `countersign dry-run off` ends it")
            for other in self._rows("task = ? AND id != ?", approval.task, effect_id):
                if other.state in LIVE:
                    raise AlreadyDone(other)
            self._hold_limit(connector, now, limit)
            disk.hold_room(self._folder, ROOM)
            if found is not None:
                self._db.execute(
                    "UPDATE effects SET state = ?, ended = NULL, tries = tries + 1, tried = ? WHERE id = ?",
                    (State.STARTED, utc(now), effect_id),
                )
            else:
                self._db.execute(
                    "INSERT INTO effects (id, connector, approval, nonce, task, revision, digest, state, started)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (effect_id, connector, approval.id, approval.nonce, approval.task, approval.revision,
                     approval.digest, State.STARTED, utc(now)),
                )  # fmt: skip
            started = self._find("id = ?", effect_id)
            assert started is not None
            return started, True

    def revoke(self, approval: Approval, *, now: datetime) -> bool:
        """Spend an approval under which nothing has happened; False when something did or may have.

        Against `begin` one of the two is first: after True no effect starts under this approval any more.
        """
        with self._transaction():
            found = self._find("approval = ?", approval.id)
            if found is None:
                self._db.execute(
                    "INSERT INTO effects (id, connector, approval, nonce, task, revision, digest, state, started,"
                    " ended, tries, detail) VALUES (?, 'owner', ?, ?, ?, ?, ?, ?, ?, ?, 0, 'taken back')",
                    (_revoked(approval), approval.id, approval.nonce, approval.task, approval.revision,
                     approval.digest, State.REFUSED, utc(now), utc(now)),
                )  # fmt: skip
            elif found.state is State.NOT_DONE:
                self._db.execute(
                    "UPDATE effects SET state = ?, ended = ?, detail = 'taken back' WHERE id = ?",
                    (State.REFUSED, utc(now), found.id),
                )
            return found is None or found.state in (State.NOT_DONE, State.REFUSED)

    def end(self, effect_id: str, state: State, *, now: datetime, detail: str = "") -> Effect:
        """Write down how it ended. A confirmed effect never becomes anything else, a refused one never unknown."""
        with self._transaction():
            self._db.execute(
                "UPDATE effects SET state = ?, ended = ?, detail = ?"
                " WHERE id = ? AND state != ? AND NOT (state = ? AND ? = ?)",
                (state, utc(now), detail[:500], effect_id, State.CONFIRMED, State.REFUSED, state, State.UNKNOWN),
            )
            found = self._find("id = ?", effect_id)
        if found is None:
            raise VaultError(f"the ledger has no effect {effect_id[:12]}")
        return found

    def get(self, effect_id: str) -> Effect | None:
        return self._find("id = ?", effect_id)

    def of_task(self, task: str) -> tuple[Effect, ...]:
        return tuple(self._rows("task = ?", task))

    def resolve(self, effect_id: str, *, happened: bool, now: datetime) -> Effect:
        """The owner's word on an effect that nobody could find out about. Raises VaultError for any other."""
        with self._transaction():
            found = self._find("id = ?", effect_id)
            if found is None or found.state is not State.UNKNOWN:
                raise VaultError(f"effect {effect_id[:12]} is {found.state.value if found else 'not in the ledger'}")
            self._db.execute(
                "UPDATE effects SET state = ?, ended = ?, detail = ? WHERE id = ?",
                (State.CONFIRMED if happened else State.REFUSED, utc(now),
                 f"by the owner's word: {'it happened' if happened else 'it did not happen'}", effect_id),
            )  # fmt: skip
        settled = self.get(effect_id)
        assert settled is not None
        return settled

    def unknown(self) -> tuple[Effect, ...]:
        return tuple(self._rows("state = ?", State.UNKNOWN))

    def details(self, connector: str) -> tuple[str, ...]:
        """What the other side said of each confirmed effect of this kind (the ids of posts)."""
        rows = self._rows("connector = ? AND state = ?", connector, State.CONFIRMED)
        return tuple(effect.detail for effect in rows)

    def last_sequence(self) -> int:
        """The number of the newest effect: a receipt with a higher one shows that this ledger is an old copy."""
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'effects'").fetchone()
        return int(row[0]) if row else 0

    def pause(self, because: str) -> None:
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO switches VALUES ('paused', ?)", (because or "by the owner",))

    def resume(self) -> None:
        with self._transaction():
            self._db.execute("DELETE FROM switches WHERE name = 'paused'")

    def paused(self) -> str | None:
        """Why effects are paused, or None."""
        return self._switch("paused")

    def _hold_limit(self, connector: str, now: datetime, limit: Limit) -> None:
        """NOT_DONE counts too: a server that flaps is no reason to try without bound."""
        for most, span, name in limit.spans():
            if not most:
                raise LimitReached(connector, most, name, now + span)
            full = self._db.execute(
                "SELECT started FROM effects WHERE connector = ? AND started > ? ORDER BY started DESC"
                " LIMIT 1 OFFSET ?", (connector, utc(now - span), most - 1),
            ).fetchone()  # fmt: skip
            if full is not None:
                raise LimitReached(connector, most, name, moment(full["started"]) + span)

    def _switch(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM switches WHERE name = ?", (name,)).fetchone()
        return str(row["value"]) if row else None

    def _find(self, where: str, *values: object) -> Effect | None:
        return next(iter(self._rows(where, *values)), None)

    def _rows(self, where: str, *values: object) -> Iterator[Effect]:
        query = f"SELECT * FROM effects WHERE {where} ORDER BY sequence"  # noqa: S608 - literals of this file
        for row in self._db.execute(query, values).fetchall():
            yield Effect(
                sequence=row["sequence"], id=row["id"], connector=row["connector"], approval=row["approval"],
                task=row["task"], revision=row["revision"], digest=row["digest"], state=State(row["state"]),
                started=moment(row["started"]), tried=moment(row["tried"] or row["started"]),
                ended=moment(row["ended"]) if row["ended"] else None,
                tries=row["tries"], detail=row["detail"],
            )  # fmt: skip

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # on a full disk SQLite may have rolled back by itself
                self._db.execute("ROLLBACK")
            raise


def _revoked(approval: Approval) -> str:
    """The id of the row that stands for an approval taken back; no effect has it."""
    return f"revoked {approval.id}"
