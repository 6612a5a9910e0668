"""What a simulation ends with when an invariant does not hold."""

from __future__ import annotations


class Breach(AssertionError):
    """An invariant of the protocol is broken: its number, and what was seen."""

    def __init__(self, invariant: str, what: str) -> None:
        self.invariant, self.what = invariant, what
        super().__init__(f"{invariant}: {what}")


class Died(BaseException):
    """The process is gone at this step: nothing of its memory is left, and nobody may catch it on the way."""


def hold(condition: object, invariant: str, what: str) -> None:
    if not condition:
        raise Breach(invariant, what)
