"""What stays on this machine: the raw mail, and which Message-IDs came with which content."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
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

    def has(self, sha256: str) -> bool:
        """Whether a message was kept under this hash; not whether it is still what it was."""
        return bool(_SHA256.fullmatch(sha256)) and self._path(sha256).exists()

    def prune(self, before: datetime, needed: Callable[[], frozenset[str]], most_bytes: int | None = None) -> int:
        """Delete what was kept before that moment, and the oldest of what is over `most_bytes`, unless it is `needed`
        (asked only then); how many."""
        kept = sorted((seen.st_mtime, seen.st_size, path) for path, seen in _files(self._folder.glob("*.eml")))
        over = sum(size for _, size, _ in kept) - most_bytes if most_bytes is not None else 0
        gone, still = 0, None
        for at, size, path in kept:
            if at >= before.timestamp() and over <= 0:
                break
            still = needed() if still is None else still
            if path.stem not in still:
                path.unlink(missing_ok=True)
                gone, over = gone + 1, over - size
        return gone

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

    def prune(self, before: datetime) -> int:
        """Forget those that first came before that moment; how many."""
        old = [path for path, seen in _files(self._folder.glob("*/*")) if seen.st_mtime < before.timestamp()]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


def _files(paths: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """With what the disk says of each; one that is gone meanwhile is left out."""
    for path in paths:
        with suppress(FileNotFoundError):
            yield path, path.stat()
