"""Which lines of a note stand in a fence, by the rules of CommonMark, and what a viewer would run or load."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_FENCE = re.compile(r"( {0,3})(`{3,}(?=[^`]*$)|~{3,})(.*)")
_OPENING = re.compile(r"[ \t>*+0-9.)-]*(?:`{3,}|~{3,})\s*([^\s`]*)")
_QUIET = frozenset({"", "text", "json"})
"""Fences that only show what is in them."""

_OWN_COMMENT = re.compile(r"<!-- /?(?:countersign:request|draft|quote) [0-9a-f]{16} -->")
_ACTIVE = re.compile(
    r"<[A-Za-z!/?%]|!\[|`\s*\$?=|%%|\$\$|\]\(\s*(?:[</\\]|$)|\{\{|://|\bwww\.|\]:\s*//"
    r"|^[ \t>*+0-9.)-]*\[(?:\\.|[^\]\\])+\]:",
    re.IGNORECASE,
)
"""HTML, images and embeds, inline queries, what hides what comes after it or shows it otherwise (comments, formulas),
links that lead outside or go on in the next line, templates."""

_SIGN = re.compile(r"[`~<!%\]{:]|\$\$|[Ww]{3}\.")
"""What no line is without that is active, or begins or ends a fence."""

_TICKS = re.compile("`+")


def outside(lines: Sequence[str]) -> Iterator[tuple[int, str, bool]]:
    """The lines that stand in no fence, without their newline, and whether that is sure.

    A fence indented by one to three spaces is one at the top level and none inside a list. Such a line is read
    both ways, and what is outside in either reading is shown here: nothing can hide between the two.
    """
    top, listed = _Fences(), _Fences(indented=False)
    for i, raw in enumerate(lines):
        line = raw.rstrip("\n")
        found = [reading.outside(line) for reading in (top, listed)]
        if any(found):
            yield i, line, all(found)


@dataclass
class _Fences:
    """One reading of a note's fences, by the rules of CommonMark, line after line."""

    indented: bool = True
    fence: str = ""

    def outside(self, line: str) -> bool:
        if self.fence:
            if closes(line, self.fence):
                self.fence = ""
            return False
        found = _FENCE.fullmatch(line)
        if not found or (found[1] and not self.indented):
            return True
        self.fence = found[2]
        return False


def closes(line: str, fence: str) -> bool:
    """Whether this line ends the fence that these characters opened."""
    bare = line.lstrip(" ")
    run = bare.rstrip(" \t")
    return len(line) - len(bare) < 4 and len(run) >= len(fence) and set(run) == {fence[0]}


def active(body: str) -> tuple[str, ...]:
    """The lines of a note that a viewer would run, load, or follow: nothing an agent has a use for.

    A line ends where CommonMark ends it, at a CR too. A note of 16 MiB may be one line, or as many as it has bytes:
    everything here goes over it once.
    """
    body = body.replace("\r\n", "\n").replace("\r", "\n")
    readings: tuple[tuple[_Fences, list[str]], ...] = ((_Fences(), []), (_Fences(indented=False), []))
    for line in _with_signs(body):
        runs, shows = _runs(line), _shows(_OWN_COMMENT.sub("", line))
        for reading, found in readings:
            closed = not reading.fence
            shown = reading.outside(line)
            if (closed and runs) or (shown and shows):
                found.append(line)
    return tuple(dict.fromkeys(line for _, found in readings for line in found))


def _with_signs(body: str) -> Iterator[str]:
    """The lines that may be active, or begin or end a fence."""
    at = 0
    while found := _SIGN.search(body, at):
        begin = max(at, body.rfind("\n", at, found.start()) + 1)
        end = body.find("\n", found.end())
        end = len(body) if end < 0 else end
        yield body[begin:end]
        at = end + 1


def _shows(line: str) -> bool:
    return _ACTIVE.search(line) is not None or _leads_out(line) or _goes_on(line)


def _goes_on(line: str) -> bool:
    """Whether code within it may end in a later line, where a query would stand without its sign: a run of backticks
    that no other closes."""
    return any(times % 2 for times in Counter(map(len, _TICKS.findall(line))).values())


def _leads_out(line: str) -> bool:
    """Whether a link in it names a scheme: a colon, or what a viewer takes for a character, between `](` and the next
    `)`. As a pattern this would look on from each `](` to the end of the line."""
    at = line.find("](")
    while at >= 0:
        end = line.find(")", at)
        end = len(line) if end < 0 else end
        if line.find(":", at, end) >= 0 or line.find("&", at, end) >= 0:
            return True
        at = line.find("](", end)
    return False


def _runs(line: str) -> bool:
    """Whether a fence opens here, in a quote or a list too, whose kind a viewer hands to a program."""
    opening = _OPENING.match(line)
    return opening is not None and opening[1].lower() not in _QUIET
