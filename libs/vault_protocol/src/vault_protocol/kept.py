"""What was read or written of late, up to so much of it."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """The oldest goes first. Safe for several threads; reading takes no lock."""

    def __init__(self, room: int) -> None:
        """`room`: how much all together may weigh."""
        self._room, self._left = room, room
        self._lock = threading.Lock()
        self._values: dict[K, V] = {}
        self._weights: dict[K, int] = {}
        self.get = self._values.get

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Nothing is kept that weighs a quarter of the room or more."""
        if weight * 4 > self._room:
            return
        with self._lock:
            self._left += self._weights.pop(key, 0) - weight
            self._values.pop(key, None)
            self._values[key], self._weights[key] = value, weight
            while self._left < 0:
                oldest = next(iter(self._weights))
                self._left += self._weights.pop(oldest)
                self._values.pop(oldest, None)

    def clear(self) -> None:
        with self._lock:
            self._left = self._room
            self._values.clear()
            self._weights.clear()

    def __contains__(self, key: K) -> bool:
        return key in self._values
