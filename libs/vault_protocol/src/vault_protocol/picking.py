"""What a hub that sets nothing aside answers to who asks for any waiting tasks: some of them, by chance."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from . import layout
from .hub import CommitId, Reserved, Store
from .task import Domain, Stage


def by_chance(store: Store, head: CommitId | None, domains: Iterable[Domain], count: int, chance: Random) -> Reserved:
    """Up to `count` tasks that wait at `head`, in no order, so that those who pick at once seldom pick the same."""
    folders = [f"{Stage.NEEDS_ACTION.value}/{domain.value}" for domain in sorted(set(domains))] if head else []
    waiting = [path for folder in folders if head for path, _ in store.paths(head, folder) if layout.place_of(path)]
    return Reserved(head, tuple(chance.sample(waiting, min(max(count, 0), len(waiting)))))
