"""Which images a stack ran, newest last: what `rollback` goes back to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tools.stack.engine import StackFailed
from tools.stack.files import whole

KEPT = 5


@dataclass(frozen=True)
class Release:
    """Each image by the variable that names it."""

    at: str
    images: dict[str, str]


class Releases:
    """A file of the stack; only releases that were healthy get into it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def all(self) -> list[Release]:
        try:
            return [Release(**entry) for entry in json.loads(self._file.read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError) as error:
            raise StackFailed(f"{self._file}: {error}; mend or remove it") from None

    def current(self) -> Release | None:
        return next(iter(reversed(self.all())), None)

    def note(self, images: dict[str, str]) -> None:
        """These run now and are well; nothing is written when they are the newest already."""
        newest = self.current()
        if newest and newest.images == images:
            return
        known = [one for one in self.all() if one.images != images]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        entries = [vars(one) for one in [*known, Release(now, images)][-KEPT:]]
        whole(self._file, json.dumps(entries, indent=2) + "\n", 0o644)

    def before(self) -> Release:
        """The one to go back to. Raises StackFailed when there is none."""
        known = self.all()
        if len(known) < 2:
            raise StackFailed("there is no earlier release of this stack to go back to")
        return known[-2]
