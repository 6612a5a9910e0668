"""Files that a stack has of its own: whole or not there at all, and readable by the containers that are given them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def whole(file: Path, content: str, mode: int = 0o444) -> None:
    """Replace it in one step."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text(content, encoding="utf-8")
    fresh.chmod(mode)
    fresh.replace(file)


def once(file: Path, content: str) -> None:
    """Unless it is there."""
    if not file.exists():
        theirs = file.suffix in (".toml", ".yaml")
        whole(file, content + ("" if content.endswith("\n") else "\n"), 0o644 if theirs else 0o444)


def hash_of(*files: Path) -> str:
    """Short; of what there is of them."""
    seen = hashlib.sha256()
    for file in files:
        seen.update(file.read_bytes() if file.exists() else b"")
    return seen.hexdigest()[:12]
