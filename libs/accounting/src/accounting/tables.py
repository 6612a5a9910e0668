"""The tables and lists of an owner's note, by their heading."""

from __future__ import annotations

import re

_RULE = re.compile(r"\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?")


def section(text: str, heading: str) -> tuple[str, ...]:
    """The lines below `## heading`, up to the next heading of that rank. Case does not count."""
    found: list[str] = []
    inside = False
    for line in text.replace("\r\n", "\n").split("\n"):
        if re.match(r"#{1,2} ", line):
            inside = line.lstrip("# ").strip().casefold() == heading.casefold()
        elif inside:
            found.append(line)
    return tuple(found)


def table(text: str, heading: str) -> tuple[tuple[str, ...], ...]:
    """The rows of the first table below a heading, without its head; cells stripped, emphasis taken off."""
    lines = section(text, heading)
    rule = next((i for i, line in enumerate(lines) if "|" in line and _RULE.fullmatch(line.strip())), None)
    if rule is None:
        return ()
    rows = []
    for line in lines[rule + 1 :]:
        if "|" not in line:
            break
        cells = line.strip().removeprefix("|").removesuffix("|").split("|")
        rows.append(tuple(cell.strip().strip("_*").strip() for cell in cells))
    return tuple(rows)
