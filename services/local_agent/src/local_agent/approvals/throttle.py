"""How often one may be wrong."""

from __future__ import annotations

import threading
from collections import deque

from vault_protocol.clock import Clock
from vault_protocol.errors import VaultError


class TooOften(VaultError):
    """Wrong too many times; `seconds` is how long to wait."""

    def __init__(self, what: str, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"too many wrong {what}; try again in {seconds} s")


class Throttle:
    """So many failures in so many seconds, then nobody is listened to. Counted for everybody together: there is one
    owner, and who else guesses must not get more tries by coming from elsewhere."""

    def __init__(self, what: str, clock: Clock, *, most: int, seconds: float) -> None:
        self._what, self._clock, self._most, self._seconds = what, clock, most, seconds
        self._failed: deque[float] = deque()
        self._guard = threading.Lock()

    def hold(self) -> None:
        """Raises TooOften."""
        now = self._clock.monotonic()
        with self._guard:
            while self._failed and now - self._failed[0] >= self._seconds:
                self._failed.popleft()
            if len(self._failed) >= self._most:
                raise TooOften(self._what, int(self._seconds - (now - self._failed[0])) + 1)

    def failed(self) -> None:
        with self._guard:
            self._failed.append(self._clock.monotonic())
