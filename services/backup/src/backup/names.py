"""restic names every file by the SHA-256 of its bytes, so any flipped byte shows without a password or restic.

restic's own check passes over files that it did not need: a flipped byte in one of several keys is found by nobody
until that key is wanted. Only `config` has no such name; restic cannot open a repository whose config is damaged.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from backup.errors import Damaged, ResticFailed
from backup.settings import Repository

FOLDERS = ("data", "index", "keys", "snapshots")
_NAME = re.compile(r"[0-9a-f]{64}")
_BLOCK = 1 << 20


def wrong(repository: Path) -> Iterator[str]:
    """The files of a repository in a folder whose name is not their content's hash."""
    for folder in FOLDERS:
        for file in sorted((repository / folder).rglob("*")):
            if file.is_file() and _hash(file) != file.name:
                yield f"{folder}/{file.name[:12]}"


def wrong_of_sums(said: str) -> Iterator[str]:
    """The same, of what `rclone hashsum sha256` says: a hash, two spaces, a path."""
    for line in said.splitlines():
        found, _, path = line.partition("  ")
        folder, name = path.partition("/")[0], path.rpartition("/")[2]
        if folder in FOLDERS and (found != name or not _NAME.fullmatch(name)):
            yield f"{folder}/{name[:12]}"


def check(repository: Repository, *, timeout: float, over_network: bool = True) -> bool:
    """Raises Damaged, naming the files. False where they cannot be read from here, or not without `over_network`: there
    the second copy is what is held against its names."""
    location = repository.location
    if location is None:
        return False
    if location.startswith("rclone:"):
        if not over_network:
            return False
        found = tuple(wrong_of_sums(_sums(repository, location.removeprefix("rclone:"), timeout)))
    elif (folder := Path(location)).is_dir():
        found = tuple(wrong(folder))
    else:
        return False
    if found:
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise Damaged(f"{len(found)} files are not what their names say: {', '.join(found[:5])}{more}")
    return True


def _sums(repository: Repository, remote: str, timeout: float) -> str:
    """Every file is read once, over the network."""
    config = ("--config", str(repository.rclone_config_file)) if repository.rclone_config_file else ()
    argv = ["rclone", "hashsum", "sha256", "--download", *config, remote]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False, timeout=timeout
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ResticFailed(f"rclone hashsum: {type(error).__name__}") from None
    if done.returncode:
        raise ResticFailed(f"rclone hashsum: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


def _hash(file: Path) -> str:
    found = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            found.update(block)
    return found.hexdigest()
