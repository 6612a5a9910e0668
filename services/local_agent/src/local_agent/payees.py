"""Whom money went to before, and to which account: this machine's own memory, of what it paid itself."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vault_protocol.action import PayTransfer
from vault_protocol.canonical import utc

_SCHEMA = """
CREATE TABLE IF NOT EXISTS paid (
    effect TEXT PRIMARY KEY, name TEXT NOT NULL, shown TEXT NOT NULL, iban TEXT NOT NULL, at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS paid_by_name ON paid (name);
"""


@dataclass(frozen=True)
class Known:
    """What is known of a payee: the accounts that were paid under this name, and the names this account had."""

    accounts: tuple[str, ...]
    names: tuple[str, ...]


class Payees:
    """SQLite in the private folder. Opened for each use: a payment is rare."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def remember(self, action: PayTransfer, *, effect: str, at: datetime) -> None:
        """After a transfer that surely went out; asking again changes nothing."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(self._open()) as db, db:
            db.execute(
                "INSERT OR IGNORE INTO paid VALUES (?, ?, ?, ?, ?)",
                (effect, folded(action.creditor), action.creditor, action.iban, utc(at)),
            )

    def known(self, action: PayTransfer) -> Known:
        """Oldest first."""
        if not self._path.exists():
            return Known((), ())
        with closing(self._open()) as db:
            accounts = db.execute(
                "SELECT iban FROM paid WHERE name = ? GROUP BY iban ORDER BY MIN(at)", (folded(action.creditor),)
            ).fetchall()
            names = db.execute(
                "SELECT shown FROM paid WHERE iban = ? GROUP BY name ORDER BY MIN(at)", (action.iban,)
            ).fetchall()
        return Known(tuple(row[0] for row in accounts), tuple(row[0] for row in names))

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=30)
        db.executescript(_SCHEMA)
        return db


def folded(name: str) -> str:
    """Case, accents, spaces and points are no difference between payees; letters of another script are."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return re.sub(r"[^\w]", "", "".join(c for c in plain if not unicodedata.combining(c)))
