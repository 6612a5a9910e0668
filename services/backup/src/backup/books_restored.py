"""The books' files held against the records: every file that a record names is there, and is what it was."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from backup.errors import NotProven


def prove_files(stored: Iterable[str], filestore: Path) -> int:
    """How many files are as the records say. `stored`: lines of `NAME SHA1`, as Odoo keeps them. Raises NotProven."""
    wrong, good = [], 0
    for line in stored:
        name, _, checksum = line.partition(" ")
        if not name:
            continue
        if _below(filestore, name) and _sha1(filestore / name) == checksum:
            good += 1
        else:
            wrong.append(name)
    if wrong:
        raise NotProven(f"{len(wrong)} files of the books are missing or changed: {', '.join(wrong[:5])}")
    return good


def _below(folder: Path, name: str) -> bool:
    return ".." not in Path(name).parts and not name.startswith("/") and (folder / name).is_file()


def _sha1(file: Path) -> str:
    """The hash that Odoo itself keeps."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
