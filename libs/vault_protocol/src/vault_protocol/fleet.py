"""Which waiting tasks an agent takes, so that agents of a fleet seldom reach for the same one.

Nobody has to agree on anything: a collision costs one more look, and the hub decides who owns what.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import TypeAlias

from .task import AgentId, Task

WINDOW = 4
"""Tasks looked at, for each one wanted and each agent of the fleet. What is older than the window is taken first, by
whoever comes: the tasks of an agent that went away do not wait behind newer ones for ever."""

_RANK = {"high": 0, "normal": 1, "low": 2}

Urgency: TypeAlias = tuple[int, str, str]


def urgency(task: Task) -> Urgency:
    """Highest priority first, then oldest."""
    front = task.note.front
    return _RANK.get(front.words("priority"), 1), front.words("received"), task.id


@dataclass
class Fleet:
    """The agents that one of them has seen at work. Each counts for as long as a lease after it last held something."""

    me: AgentId
    lease: float
    seen: dict[AgentId, float] = field(default_factory=dict)

    def at_work(self, holders: Iterable[AgentId], now: float) -> None:
        """These hold tasks now, by our own monotonic clock."""
        self.seen |= dict.fromkeys(holders, now)
        self.seen = {agent: at for agent, at in self.seen.items() if now - at <= self.lease and agent != self.me}

    def pick(self, waiting: Iterable[Task], count: int) -> Sequence[Task]:
        """The `count` tasks for us: of equal priority, those first for which our hash is the highest of the fleet's."""
        window = nsmallest(WINDOW * count * (1 + len(self.seen)), waiting, key=urgency)

        def ours(task: Task) -> tuple[int, int, str, str]:
            priority, received, id_ = urgency(task)
            mine = _weight(self.me, task)
            return priority, sum(_weight(agent, task) > mine for agent in self.seen), received, id_

        return sorted(window, key=ours)[:count]


def _weight(agent: AgentId, task: Task) -> bytes:
    return hashlib.sha256(f"{agent}/{task.id}".encode("ascii")).digest()
