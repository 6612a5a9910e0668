"""What the hub set aside for one agent to claim. It asks for a few at a time, and for more the faster they go."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import HubUnreachable
from .journal import Journal
from .layout import place_of
from .task import Domain, TaskId

MOST_CLAIMS = 8
"""Claims that one reservation is asked for at most."""

MUTE = 60.0
"""Seconds in which a hub that sets nothing aside, or does not know the question, is not asked again."""


class Reserving:
    """One agent's reservations, by its own monotonic clock. They are advice: whoever claims first owns."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._for: frozenset[Domain] = frozenset()
        self._left: list[TaskId] = []
        self._until, self._muted_until = 0.0, 0.0
        self._claims = 1

    def left(self, domains: frozenset[Domain]) -> Sequence[TaskId]:
        """What is still set aside of these domains."""
        return tuple(self._left) if domains == self._for and self._now() < self._until else ()

    def ask(self, domains: frozenset[Domain], count: int) -> Sequence[TaskId]:
        """Have tasks set aside for a claim of `count`, and go on to the head that the hub named with them. Nothing when
        the hub sets none aside. Raises UntrustedHead."""
        now = self._now()
        if now < self._muted_until:
            return ()
        used_up = not self._left and now < self._until
        self._claims = min(2 * self._claims, MOST_CLAIMS) if used_up else 1
        self._for, self._left = domains, []
        try:
            found = self._journal.reserve(domains, count * self._claims)
        except HubUnreachable:
            self._muted_until = now + MUTE
            return ()
        if not found.seconds:
            self._muted_until = now + MUTE if not found.set_aside else now
            return ()
        places = (place_of(path) for path in found.paths)
        self._left, self._until = [place.id for place in places if place is not None], now + found.seconds
        return tuple(self._left)

    def take(self, tasks: Sequence[TaskId]) -> None:
        """These are being claimed: whatever becomes of it, the next claim is of others."""
        self._left = [task for task in self._left if task not in tasks]

    def _now(self) -> float:
        return self._journal.clock.monotonic()
