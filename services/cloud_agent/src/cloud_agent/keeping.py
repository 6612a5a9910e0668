"""What stays on this machine: the raw mail, and which Message-IDs came with which content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from vault_protocol.files import write_private

_SHA256 = re.compile("[0-9a-f]{64}")


class RawMail:
    """Messages exactly as received, by their SHA-256; readable by this user alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, raw: bytes) -> str:
        """Keep it durably and return its SHA-256."""
        sha256 = hashlib.sha256(raw).hexdigest()
        path = self._path(sha256)
        if not path.exists():
            write_private(path, raw)
        return sha256

    def find(self, sha256: str) -> bytes | None:
        """The message with this hash; None when it is not here, or no longer what it was."""
        if not _SHA256.fullmatch(sha256):
            return None
        try:
            raw = self._path(sha256).read_bytes()
        except FileNotFoundError:
            return None
        return raw if hashlib.sha256(raw).hexdigest() == sha256 else None

    def prune(self, before: datetime, needed: Callable[[], frozenset[str]]) -> int:
        """Delete what was kept before that moment and is not `needed` (asked only then); how many."""
        old = [path for path in self._folder.glob("*.eml") if path.stat().st_mtime < before.timestamp()]
        still = needed() if old else frozenset()
        gone = [path for path in old if path.stem not in still]
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.eml"


class MessageIds:
    """The content that first came under each Message-ID of a mailbox."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def first(self, mailbox: str, message_id: str, sha256: str) -> str:
        """The hash that this Message-ID first came with; from now on the given one, if it is new here."""
        name = hashlib.sha256(f"{mailbox}\0{message_id}".encode("utf-8", "surrogatepass")).hexdigest()
        path = self._folder / name[:2] / name
        try:
            return path.read_text(encoding="ascii")
        except FileNotFoundError:
            write_private(path, sha256.encode("ascii"))
            return sha256
