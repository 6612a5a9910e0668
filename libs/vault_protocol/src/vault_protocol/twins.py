"""Names that are one name to some file system: they differ by case, or by how an accent is spelled."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TypeAlias
from unicodedata import normalize

from . import layout
from .errors import Refused
from .hub import Change
from .task import Stage

Names: TypeAlias = Callable[[str], Collection[str]]
"""A folder → what lies in it, each folder with `/` behind its name; nothing when it is not there."""

TOP = frozenset(
    {f"{name}/" for name in ("Plans", "Updates", "Logs", "Signals", "Briefings", "Approvals", layout.INBOX)}
    | {f"{stage.value}/" for stage in Stage}
    | {layout.DASHBOARD, layout.HANDBOOK, layout.GOALS, layout.VAULT_CARD}
)
"""What stands at the top of a vault, whether or not it is there just now: git keeps no empty folder."""


def fold(name: str) -> str:
    """The same for names that macOS or Windows takes for one."""
    if name.isascii():
        return name.lower()
    return "".join(_folded(letter) for letter in normalize("NFD", name))


def judge(changes: Sequence[Change], names: Names) -> None:
    """Raises Refused for a new path beside whose name, or the name of a folder above it, its twin stands.

    `names` are those in the parent commit. A task's place is spelled in one way only, and is not looked at.
    """
    new = {change.path for change in changes if change.new is not None and layout.place_of(change.path) is None}
    gone = {change.path for change in changes if change.new is None}
    added = sorted(new - {change.path for change in changes if change.old is not None})
    seen: dict[tuple[str, str], str] = {}
    listed: dict[str, dict[str, list[str]]] = {}
    for path in added:
        for folder, name in _levels(path):
            folded = fold(name)
            first = seen.setdefault((folder, folded), "")
            if first == name:
                continue  # looked at for a path before
            if first:
                raise _refused(path, first)
            seen[folder, folded] = name
            if folder not in listed:
                listed[folder] = _by_fold(names(folder))
            there = listed[folder].get(folded, [])
            if name in there:
                continue
            for other in there if folder else {*there, *_TOP.get(folded, [])}:
                if other != name and not _goes(_in(folder, other), gone, names):
                    raise _refused(path, other)


def _by_fold(names: Iterable[str]) -> dict[str, list[str]]:
    """Those that are one name to some file system, together: a folder is looked through once, whatever is added."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(fold(name), []).append(name)
    return found


def _levels(path: str) -> Iterator[tuple[str, str]]:
    """Each folder above it, with a `/` behind its name, and at last the note: where it lies, and its name."""
    above = ""
    *folders, note = path.split("/")
    for folder in folders:
        yield above, folder + "/"
        above = _in(above, folder)
    yield above, note


def _in(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _goes(path: str, gone: Collection[str], names: Names) -> bool:
    """Whether nothing is left of it. What stands at the top comes back."""
    if path in TOP:
        return False
    if not path.endswith("/"):
        return path in gone
    return all(_goes(path + name, gone, names) for name in names(path.rstrip("/")))


def _folded(letter: str) -> str:
    folded = letter.casefold()
    return folded if len(folded) == 1 else letter.lower()


def _refused(path: str, other: str) -> Refused:
    return Refused("name", path, f"to some file systems it has the name of {other.rstrip('/')[:80]!r} beside it")


_TOP = _by_fold(TOP)
