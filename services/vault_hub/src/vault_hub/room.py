"""Room for what is under way: so much for one credential, so much for all, and a request that has none is told so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class NoRoom(Exception):
    """It is taken up just now; the message says what."""


class Room:
    """Counts units (requests, streams, bytes) in use. For one event loop."""

    def __init__(self, what: str, *, each: int, all_together: int) -> None:
        self._what, self._each, self._all = what, each, all_together
        self._used: Counter[str] = Counter()
        self._total = 0

    @property
    def used(self) -> int:
        return self._total

    @contextmanager
    def share(self, name: str, first: int = 1) -> Iterator[Share]:
        """A share of this credential's, given back at the end. Raises NoRoom."""
        share = Share(self, name)
        try:
            share.take(first)
            yield share
        finally:
            self._used[name] -= share.units
            self._total -= share.units
            if self._used[name] <= 0:
                del self._used[name]

    def claim(self, name: str, units: int) -> None:
        if self._used[name] + units > self._each:
            raise NoRoom(f"{name} has {self._each} {self._what} under way already")
        if self._total + units > self._all:
            raise NoRoom(f"the hub has {self._all} {self._what} under way already")
        self._used[name] += units
        self._total += units


class Share:
    """What one request holds."""

    def __init__(self, room: Room, name: str) -> None:
        self._room, self._name, self.units = room, name, 0

    def take(self, units: int) -> None:
        """More of it. Raises NoRoom."""
        self._room.claim(self._name, units)
        self.units += units
