"""What a bench says: one row for each thing measured, as JSON for programs and as ratios for people."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal

Unit = Literal["ms", "/s", "%", "B/s", "index"]


@dataclass(frozen=True)
class Row:
    """Medians of one run. `floor` is what the machine itself takes for the least that must be done, None when
    nothing honest can be said."""

    name: str
    unit: Unit
    ours: float
    floor: float | None = None
    peers: Mapping[str, float] = field(default_factory=dict)


def milliseconds(act: Callable[[], object]) -> float:
    """How long one call takes."""
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


def interleaved(
    acts: Mapping[str, Callable[[], float]], rounds: int, *, fewer: Mapping[str, int] | None = None
) -> dict[str, float]:
    """The median of each, one of each in turn, so that a loaded second falls on all alike. Each act says how long
    it took; `fewer` bounds the slow ones. A first round is not counted."""
    found: dict[str, list[float]] = {name: [] for name in acts}
    for turn in range(rounds + 1):
        for name, act in acts.items():
            if turn <= (fewer or {}).get(name, rounds):
                taken = act()
                if turn:
                    found[name].append(taken)
    return {name: median(taken) for name, taken in found.items()}


def write(rows: Sequence[Row], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = [asdict(row) for row in rows]
    path.write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")


def line(row: Row) -> str:
    """One row for a person: ours, and everything else as so many times ours."""
    told = [f"{row.name:<22}{_number(row.ours):>9} {row.unit:<3}"]
    if row.floor is not None:
        told.append(f"floor {_number(row.floor)} {row.unit} (ours {_ratio(row.ours, row.floor)}×)")
    told += [f"{name} {_number(value)} {row.unit} ({_ratio(value, row.ours)}×)" for name, value in row.peers.items()]
    return "  ".join(told)


def _ratio(one: float, other: float) -> str:
    return _number(one / other) if other else "∞"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
