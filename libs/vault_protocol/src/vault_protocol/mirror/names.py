"""What a name in the owner's folder means. Pure; nothing here opens a file."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import PurePosixPath

from vault_protocol import layout, zones
from vault_protocol.task import Stage, TaskId

FOLDERS = (
    "Needs_Action/email", "Pending_Approval/email", "Approved", "Rejected", "Done", "Quarantine", layout.INBOX,
)  # fmt: skip
"""Folders that are there even when nothing lies in them, so that a person can drag into them."""

PRIVATE = ".countersign-"
"""How the mirror's own temporary files begin."""

_IGNORED = re.compile(r"\.|~\$|~syncthing~|#.*#$|4913$|.*(?:~|\.sw[a-p]|\.tmp)$", re.IGNORECASE | re.DOTALL)
_COPY = re.compile(
    r"\.sync-conflict-\d|[ (]conflict(?:ed)?\b"
    r"|(?: copy(?: \d+)?| - copy| \(copy(?: \d+)?\)| \(\d+\)| \d+)(?:\.[a-z]+)?$",
    re.IGNORECASE,
)
_CONFLICT = re.compile(r"\.sync-conflict-\d{8}-\d{6}| \(conflict \d{4}-\d\d-\d\d \d{6}(?: \d+)?\)")
_ID = re.compile(r"([a-z2-7]{16})(?![A-Za-z0-9])")
_STAGES = {stage.value: stage for stage in Stage}
_AGENTS = tuple(area.folder.partition("{self}")[0] for area in zones.AREAS if area.folder)
_PROTECTED = frozenset({layout.DASHBOARD, layout.VAULT_CARD})


def is_ignored(path: str) -> bool:
    """Hidden files and folders, editors' and Syncthing's temporaries. A `.env` is not: the owner hears of it."""
    *folders, name = path.split("/")
    if any(folder.startswith(".") for folder in folders):
        return True
    return bool(_IGNORED.match(name)) and not is_secret_file(path)


def is_secret_file(path: str) -> bool:
    """`.env`, `.env.local` …"""
    name = path.rpartition("/")[2]
    return name == ".env" or (name.startswith(".env.") and not name.endswith((".swp", ".tmp", "~")))


def in_inbox(path: str) -> bool:
    return path.startswith(layout.INBOX + "/")


def stage_of(path: str) -> Stage | None:
    """The stage whose folder, or any folder below it, holds this path."""
    top, slash, _ = path.partition("/")
    return _STAGES.get(top) if slash else None


def is_owners(path: str) -> bool:
    """Whether the owner may write here: no stage, no agent's area, nothing that Local writes alone."""
    return stage_of(path) is None and path not in _PROTECTED and not path.startswith(_AGENTS) and not in_inbox(path)


def is_conflict(path: str) -> bool:
    """A copy that the mirror or Syncthing kept because two sides changed one file."""
    return bool(_CONFLICT.search(path.rpartition("/")[2]))


def is_copy(path: str) -> bool:
    """A name that Obsidian, a file manager or Syncthing gives a second copy: `X 1.md`, `X (conflict …).md`."""
    return bool(_COPY.search(path.rpartition("/")[2]))


def id_in(path: str) -> TaskId | None:
    """The task id a name begins with, however the rest was renamed."""
    found = _ID.match(path.rpartition("/")[2])
    return TaskId(found[1]) if found else None


def fault(path: str) -> str | None:
    """Why this file cannot be in a commit, or None."""
    if is_secret_file(path):
        return "a secrets file never leaves this machine"
    if not is_utf8(path):
        return "its name is not UTF-8"
    if any(len(part.encode()) > 255 for part in path.split("/")):
        return "its name is too long for a file system"
    return layout.name_fault(path, by_agent=False)


def is_utf8(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def shown(path: str) -> str:
    """The name as text that any terminal and any encoder takes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def conflict_copy(path: str, now: datetime, number: int = 1) -> str:
    """`NAME (conflict 2026-11-23 150405).md`, beside the path."""
    at = PurePosixPath(path)
    mark = f" (conflict {now:%Y-%m-%d %H%M%S}{f' {number}' if number > 1 else ''})"
    room = 250 - len(mark.encode()) - len(at.suffix.encode("utf-8", "surrogateescape"))
    stem = at.stem.encode("utf-8", "surrogateescape")[:room].decode("utf-8", "ignore")
    return at.with_name(f"{stem}{mark}{at.suffix}").as_posix()
