"""`## What was known` in a task's note: for the owner, above the mail, inside a fence like all from outside."""

from __future__ import annotations

import re

from drafting.background import Background
from vault_protocol import plain, scan
from vault_protocol.fences import outside
from vault_protocol.note import Note
from vault_protocol.notes import KNOWN


def put(note: Note, background: Background) -> Note:
    """The note with this section in the place of an earlier one, before its request and its original; without one when
    nothing is known."""
    lines = _without(re.findall("[^\n]*\n|[^\n]+", note.body))
    told = [plain.one_line(scan.mask(fact.shown())[0], 300) for fact in background.facts]
    if background.memory.text:
        told.append("memory: what your edits taught was followed [Memory]")
    if told:
        below = (i for i, line, _ in outside(lines) if line.startswith(("<!-- countersign:", "## Original")))
        at = next(below, len(lines))
        fence = plain.fenced("\n".join(told))
        lines[at:at] = [f"{KNOWN}\n\n{fence}\n"]
    return note.with_body("".join(lines))


def _without(lines: list[str]) -> list[str]:
    starts = [(i, line) for i, line, _ in outside(lines)]
    at = next((i for i, line in starts if line.rstrip() == KNOWN), None)
    if at is None:
        return lines
    end = next((i for i, line in starts if i > at and line.startswith(("## ", "<!-- countersign:"))), len(lines))
    return lines[:at] + lines[end:]
