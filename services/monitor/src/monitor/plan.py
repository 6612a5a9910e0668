"""What has to change so that Uptime Kuma is as the file wants it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from monitor.items import Item, Kind


class Verb(StrEnum):
    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True)
class Change:
    """`differs`: the facts that are not as they are wanted. `found` is what was there."""

    verb: Verb
    item: Item
    differs: tuple[str, ...] = ()
    found: Item | None = None

    def words(self) -> str:
        line = f"{self.verb} {self.item.kind} {self.item.name}"
        if self.found is None or not self.differs:
            return line
        parts = [f"{fact}: {self.found.shown(fact)} -> {self.item.shown(fact)}" for fact in self.differs]
        return f"{line} ({'; '.join(parts)})"


@dataclass(frozen=True)
class Plan:
    """`alone`: what was made by hand, and stays as it is."""

    changes: tuple[Change, ...]
    alone: tuple[Item, ...] = ()


def plan(wanted: Iterable[Item], found: Iterable[Item]) -> Plan:
    """Additions and changes in the order of kinds, removals after them the other way round."""
    wanted = list(wanted)
    there = {(item.kind, item.name): item for item in found}
    changes = [change for item in _ordered(wanted) if (change := _one(item, there.get((item.kind, item.name))))]
    names = {(item.kind, item.name) for item in wanted}
    left = [item for key, item in there.items() if key not in names]
    changes += [Change(Verb.REMOVE, item) for item in reversed(_ordered(left)) if item.ours]
    return Plan(tuple(changes), tuple(item for item in _ordered(left) if not item.ours))


def _one(wanted: Item, found: Item | None) -> Change | None:
    if found is None:
        return Change(Verb.ADD, wanted)
    differs = tuple(fact for fact, value in wanted.facts.items() if found.facts.get(fact) != value)
    return Change(Verb.CHANGE, wanted, differs, found) if differs else None


def _ordered(items: Iterable[Item]) -> list[Item]:
    kinds = list(Kind)
    return sorted(items, key=lambda item: (kinds.index(item.kind), item.name))
