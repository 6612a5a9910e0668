"""What is asked of an Uptime Kuma. The real one is in `socket_kuma`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from monitor.items import Item, Kind
from monitor.plan import Change, Verb


class Kuma(Protocol):
    def found(self) -> tuple[Item, ...]:
        """Everything there is of the kinds we know. Raises KumaAway."""

    def carry_out(self, change: Change) -> None:
        """Raises KumaAway. Carried out twice it is as if once."""


class MemoryKuma:
    """Keeps what it was told."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._items: dict[tuple[Kind, str], Item] = {(item.kind, item.name): item for item in items}

    def found(self) -> tuple[Item, ...]:
        return tuple(self._items.values())

    def carry_out(self, change: Change) -> None:
        key = (change.item.kind, change.item.name)
        if change.verb is Verb.REMOVE:
            self._items.pop(key, None)
        else:
            self._items[key] = change.item
