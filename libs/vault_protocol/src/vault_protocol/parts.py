"""The parts of a round that do not hang together: what one of them is refused keeps no other from being done."""

from __future__ import annotations

from collections.abc import Callable

from .errors import ClaimLost, MalformedNote, NoSuchTask, Refused, StaleRevision, VaultError

MOST = 500
"""Kinds of refusals that are remembered; then they are told anew."""


class Parts:
    """`told` hears what was refused, once for each rule and path. What hub, head or disk say ends the round."""

    def __init__(self, told: Callable[[VaultError], object]) -> None:
        self._told, self._known = told, set[tuple[str, ...]]()

    def attempt(self, act: Callable[[], object]) -> None:
        try:
            act()
        except (Refused, ClaimLost, NoSuchTask, StaleRevision, MalformedNote) as error:
            what = type(error).__name__, *(str(getattr(error, name, "")) for name in ("rule", "path", "task"))
            if what in self._known:
                return
            if len(self._known) >= MOST:
                self._known.clear()
            self._known.add(what)
            self._told(error)
