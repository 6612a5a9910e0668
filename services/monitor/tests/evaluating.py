"""As much of Prometheus' language as our rules use, over samples a minute apart, for the lane without promtool."""

from __future__ import annotations

import re
from collections.abc import Mapping

SELECTOR = r"(?P<{0}>[a-z_]+(?:\{{[^}}]*\}})?)"
SUM = re.compile(
    rf"(?:time\(\) - {SELECTOR.format('age')}|increase\({SELECTOR.format('count')}\[(?P<range>\d+)m\]\)"
    rf"(?: / increase\({SELECTOR.format('by')}\[(?P=range)m\]\))?|{SELECTOR.format('plain')})"
    r" (?P<how>==|<|>) (?P<bound>[\d.]+)"
)


def holds(rule: str, samples: Mapping[str, str]) -> bool:
    """At the last sample. Raises ValueError for a rule in words that are not known here."""
    parts = SUM.fullmatch(rule)
    if parts is None:
        raise ValueError(f"not one of the forms our rules have: {rule}")
    if parts["age"]:
        value = 60.0 * (length(samples) - 1) - values(parts["age"], samples)[-1]
    elif parts["count"]:
        value = increase(values(parts["count"], samples), int(parts["range"]))
        if parts["by"]:
            value /= increase(values(parts["by"], samples), int(parts["range"]))
    else:
        value = values(parts["plain"], samples)[-1]
    bound = float(parts["bound"])
    return {"==": value == bound, "<": value < bound, ">": value > bound}[parts["how"]]


def values(selector: str, samples: Mapping[str, str]) -> list[float]:
    for series, notation in samples.items():
        if labels(selector) <= labels(series):
            start, step, times = re.fullmatch(r"([\d.]+)(?:\+(\d+))?x(\d+)", notation).groups()  # type: ignore[union-attr]
            return [float(start) + float(step or 0) * n for n in range(int(times) + 1)]
    raise ValueError(f"no sample is for {selector}")


def labels(series: str) -> set[str]:
    name, _, rest = series.partition("{")
    return {name, *(one for one in rest.rstrip("}").split(",") if one)}


def length(samples: Mapping[str, str]) -> int:
    return max(int(one.rpartition("x")[2]) + 1 for one in samples.values())


def increase(found: list[float], minutes: int) -> float:
    return found[-1] - found[max(0, len(found) - 1 - minutes)]
