"""Is there an order of these operations, each inside its own interval, that one task alone would have answered so?

The search of Wing and Gong, with the configurations remembered that led nowhere (Lowe). An operation whose answer
was lost may have happened at any time after it began, or never.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.sim.specification import ABSENT, Operation, State, answered

LIMIT = 200_000
"""Configurations that one history may need; a task of the simulation needs some dozens."""


class NotLinearizable(Exception):
    """No order explains the answers; the message shows how far the best one goes."""


class TooWide(Exception):
    """The search was given up: neither verdict was reached."""


@dataclass(frozen=True)
class _At:
    """A configuration: which operations were ordered (bits), the task after them, and how we came here."""

    done: int
    state: State
    last: int = -1
    before: _At | None = None

    def line(self) -> list[int]:
        found: list[int] = []
        at: _At | None = self
        while at is not None and at.before is not None:
            found.append(at.last)
            at = at.before
        return found[::-1]


def order(history: Sequence[Operation], *, start: State = ABSENT, limit: int = LIMIT) -> tuple[Operation, ...]:
    """One order that explains every answer. Raises NotLinearizable or TooWide."""
    operations = sorted(history, key=lambda one: one.begin)
    needed = sum(1 << i for i, one in enumerate(operations) if one.end is not None)
    stack = [_At(0, start)]
    known = {(0, start)}
    furthest = stack[0]
    while stack:
        at = stack.pop()
        if at.done & needed == needed:
            return tuple(operations[i] for i in at.line())
        if (at.done & needed).bit_count() > (furthest.done & needed).bit_count():
            furthest = at
        for i in _next(operations, at.done):
            state = answered(at.state, operations[i])
            if state is None or (key := (at.done | 1 << i, state)) in known:
                continue
            known.add(key)
            if len(known) > limit:
                raise TooWide(f"{len(history)} operations need more than {limit} configurations")
            stack.append(_At(key[0], state, i, at))
    raise NotLinearizable(_told(operations, furthest))


def _next(operations: Sequence[Operation], done: int) -> Iterator[int]:
    """Those that may come next: nothing that is still to be ordered ended before they began. Certain ones last,
    so that they are tried first."""
    open_ = [i for i in range(len(operations)) if not done >> i & 1]
    until = min((end for i in open_ if (end := operations[i].end) is not None), default=None)
    able = [i for i in open_ if until is None or operations[i].begin <= until]
    yield from (i for i in able if operations[i].end is None)
    yield from (i for i in reversed(able) if operations[i].end is not None)


def _told(operations: Sequence[Operation], at: _At) -> str:
    line = "\n".join(f"  {_one(operations[i])}" for i in at.line())
    stuck = "\n".join(f"  {_one(operations[i])}" for i in _next(operations, at.done) if operations[i].end is not None)
    return f"no order explains it; after\n{line}\nthe task is {at.state}, and none of these can follow:\n{stuck}"


def _one(operation: Operation) -> str:
    end = "?" if operation.end is None else operation.end
    under = f" under {operation.fence}" if operation.fence else ""
    about = f" of {operation.shown}" if operation.shown else ""
    return f"{operation.begin}–{end} {operation.agent} {operation.verb}{under}{about}: {operation.answer}"
