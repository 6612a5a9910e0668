"""What the program does: see the difference, carry it out, write down what there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import yaml

from monitor.errors import KumaAway
from monitor.items import SECRET, Fact, Item
from monitor.kuma import Kuma
from monitor.plan import Change, Plan, plan

TRIES = 4


def apply(
    kuma: Kuma, wanted: Iterable[Item], tell: Callable[[Change], None] = lambda change: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Plan:  # fmt: skip
    """The changes that were made. What Kuma lost on the way is found missing by looking again. Raises KumaAway."""
    wanted = list(wanted)
    first = todo = plan(wanted, kuma.found())
    for left in range(TRIES - 1, -1, -1):
        for change in todo.changes:
            try:
                kuma.carry_out(change)
            except KumaAway:
                if not left:
                    raise
                break
            tell(change)
        todo = plan(wanted, kuma.found())
        if not todo.changes:
            return first
        sleep(1.0)
    raise KumaAway(f"Kuma took it and is still not as wanted: {todo.changes[0].words()}")


def export(items: Iterable[Item]) -> str:
    """What there is, as YAML, without secrets: to compare by eye, or to begin a monitors.yaml with."""
    kinds: dict[str, dict[str, dict[str, object]]] = {}
    for item in sorted(items, key=lambda item: (item.kind, item.name)):
        facts = {k: _plain(v) for k, v in item.facts.items() if v is not None and k not in SECRET}
        kinds.setdefault(item.kind.value, {})[item.name] = facts
    return str(yaml.safe_dump(kinds, sort_keys=True, allow_unicode=True))


def _plain(fact: Fact) -> object:
    return [_plain(one) for one in fact] if isinstance(fact, tuple) else fact
