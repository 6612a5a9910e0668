"""How much one credential, or one address without one, may ask for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

KEPT = 4096
"""Names remembered; the longest unused goes."""


@dataclass
class _Bucket:
    left: float
    at: float


class Allowance:
    """A token bucket a name: `burst` at once, `per_second` after that."""

    def __init__(self, *, burst: float, per_second: float, monotonic: Callable[[], float]) -> None:
        self._burst, self._rate, self._monotonic = burst, per_second, monotonic
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, name: str) -> float:
        """0 when it may; otherwise the seconds to wait."""
        now = self._monotonic()
        bucket = self._buckets.setdefault(name, _Bucket(self._burst, now))
        self._buckets.move_to_end(name)
        if len(self._buckets) > KEPT:
            self._buckets.popitem(last=False)
        bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._rate)
        bucket.at = now
        if bucket.left < 1:
            return (1 - bucket.left) / self._rate
        bucket.left -= 1
        return 0.0
