"""Which waiting tasks an agent takes, so that agents of a fleet seldom reach for the same one.

Nobody has to agree on anything: a collision costs one more look, and the hub decides who owns what.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias
from zlib import crc32

from .task import AgentId, Task, TaskId

WINDOW = 4
"""Tasks looked at, for each one wanted and one more, and each agent of the fleet. Whoever comes walks round all of
them, so the tasks of an agent that went away do not wait behind newer ones for ever."""

MOST_LOSSES = 16
"""Losses that make the window wider."""

CIRCLE = 1 << 32

_RANK = {"high": 0, "normal": 1, "low": 2}

Urgency: TypeAlias = tuple[int, str, str]


def urgency(task: Task) -> Urgency:
    """Highest priority first, then oldest."""
    return _rank(task), task.note.front.words("received"), task.id


@dataclass
class Fleet:
    """The agents that one of them has seen at work. Each counts for as long as a lease after it last held something.

    All tasks lie on a circle, by their ids; each agent walks round it from a corner of its own.
    """

    me: AgentId
    lease: float
    seen: dict[AgentId, float] = field(default_factory=dict)
    losses: int = 0
    """How often of late somebody else was first: the more, the wider is the window."""
    corner: int | None = None

    def at_work(self, holders: Iterable[AgentId], now: float) -> None:
        """These hold tasks now, by our own monotonic clock."""
        self.seen |= dict.fromkeys(holders, now)
        self.seen = {agent: at for agent, at in self.seen.items() if now - at <= self.lease and agent != self.me}

    def lost(self, corner: int) -> None:
        """Somebody else took what was picked: go on from another corner."""
        self.losses, self.corner = min(self.losses + 1, MOST_LOSSES), corner

    def won(self) -> None:
        """Nobody else wanted it."""
        self.losses = max(self.losses - 1, 0)

    @property
    def alone(self) -> bool:
        """Whether nobody else was seen at work, and nobody was first."""
        return not self.seen and not self.losses

    def window(self, count: int) -> int:
        """How many of the most urgent are looked at for so many."""
        return WINDOW * (1 + count) * (1 + len(self.seen) + self.losses)

    def pick(self, waiting: Iterable[Task], count: int) -> Sequence[Task]:
        """The `count` tasks for us: the most urgent when nobody else is there, else the next ones on our way among
        those of equal priority. `waiting`: the most urgent first."""
        window = list(islice(waiting, count if self.alone else self.window(count)))
        if self.alone or len(window) <= count:
            return window
        corner = self._first_corner() if self.corner is None else self.corner
        chosen = sorted(window, key=lambda task: (_rank(task), (_place(task.id) - corner) % CIRCLE))[:count]
        self.corner = _place(chosen[-1].id) + 1
        return chosen

    def _first_corner(self) -> int:
        """Who sees the same others has another one."""
        everybody = sorted({*self.seen, self.me})
        return everybody.index(self.me) * CIRCLE // len(everybody)


def _rank(task: Task) -> int:
    return _RANK.get(task.note.front.words("priority"), 1)


def _place(task: TaskId) -> int:
    return crc32(task.encode("ascii"))
