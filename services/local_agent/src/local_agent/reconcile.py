"""Holding the inbox against the vault: mail that Cloud hides, or never saw, shows within minutes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vault_protocol import layout
from vault_protocol.errors import MalformedNote
from vault_protocol.hub import BlobId
from vault_protocol.journal import Journal
from vault_protocol.note import Note
from vault_protocol.plain import one_line

GRACE = timedelta(minutes=3)
"""How long Cloud may take from a mail's arrival to its note."""

BETWEEN = timedelta(minutes=2)
"""Between two looks at the inbox."""

LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True)
class Header:
    """One message of the inbox: its Message-ID as it stands, and when the server took it."""

    uid: str
    message_id: str
    received: datetime


ListInbox = Callable[[datetime], Sequence[Header]]
"""The messages received since then. Raises VaultError when it cannot look."""

ReadRaw = Callable[[str], bytes | None]
"""The raw bytes of a message by its UID, for those whose Message-ID no note names."""


class Known:
    """What the notes of the vault say they are of: Message-IDs and hashes, read once for each blob."""

    def __init__(self) -> None:
        self._seen: dict[BlobId, tuple[str, str]] = {}

    def of(self, journal: Journal) -> tuple[frozenset[str], frozenset[str]]:
        """(Message-IDs as notes show them, SHA-256 of raw messages)."""
        if journal.head is None:
            return frozenset(), frozenset()
        current: dict[BlobId, tuple[str, str]] = {}
        for path, blob in journal.store.paths(journal.head):
            if layout.place_of(path):
                current[blob] = self._seen.get(blob) or _of(journal.store.blob(blob))
        self._seen = current
        ids = frozenset(message_id for message_id, _ in current.values() if message_id)
        return ids, frozenset(sha256 for _, sha256 in current.values() if sha256)


def hidden(
    listed: Iterable[Header], ids: frozenset[str], hashes: frozenset[str], raw: ReadRaw, *, now: datetime
) -> tuple[Header, ...]:
    """The messages that no note is about, although Cloud had its time."""
    missing = []
    for header in listed:
        if now - header.received < GRACE or (header.message_id and one_line(header.message_id) in ids):
            continue
        content = raw(header.uid)
        if content is not None and hashlib.sha256(content).hexdigest() not in hashes:
            missing.append(header)
    return tuple(missing)


def _of(content: bytes) -> tuple[str, str]:
    try:
        front = Note.parse(content).front
    except MalformedNote:
        return "", ""
    return front.words("message_id"), front.words("sha256")
