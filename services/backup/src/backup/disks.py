"""The disks that the services stand on, which are all in reach here: told before one is full."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from backup.settings import Disks

NAME = "disks"
"""Of the push monitor."""


@dataclass(frozen=True)
class Room:
    """What one of them has; `total` is 0 for one that cannot be looked at."""

    path: Path
    free: int
    total: int

    @property
    def percent(self) -> float:
        return 100 * self.free / self.total if self.total else 0.0


def look(settings: Disks) -> tuple[Room, ...]:
    return tuple(map(_room, settings.paths))


def short(rooms: Iterable[Room], settings: Disks) -> str:
    """Which have less than they should, in words; empty when all have enough."""
    few = [room for room in rooms if room.percent < settings.least_percent]
    return "; ".join(f"{room.path}: {room.percent:.1f} % free" for room in few)


def _room(path: Path) -> Room:
    try:
        found = os.statvfs(path)
    except OSError:
        return Room(path, 0, 0)
    return Room(path, found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)
