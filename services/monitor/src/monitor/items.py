"""One thing in Uptime Kuma, in a form that is the same whether a file wants it or Kuma has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Fact = str | int | bool | None | tuple["Fact", ...]
Facts = Mapping[str, Fact]

OURS = "countersign"
"""The tag that marks a monitor as made from code. What does not carry it is never changed or removed."""

SECRET = frozenset({"token", "url_secret", "password"})
"""Facts whose values are never shown."""


class Kind(StrEnum):
    """In the order in which they are made: what a later one names is there before it."""

    TAG = "tag"
    NOTIFICATION = "notification"
    MONITOR = "monitor"
    PAGE = "page"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True)
class Item:
    """References to other items are by name. `ours`: whether it may be removed when no file wants it."""

    kind: Kind
    name: str
    facts: Facts = field(default_factory=dict)
    ours: bool = True

    def shown(self, fact: str) -> str:
        if fact in SECRET:
            return "(secret)"
        return _words(self.facts.get(fact))


def _words(fact: Fact) -> str:
    return ", ".join(_words(one) for one in fact) if isinstance(fact, tuple) else "–" if fact is None else str(fact)
