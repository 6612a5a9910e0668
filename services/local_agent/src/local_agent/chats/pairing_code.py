"""The code that a phone has to see once: as letters for a terminal, as a path for a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from local_agent.chats.linked import PAIRING

BAN = (
    "A linked device is no official way for programs: WhatsApp may ban the number for it. Read docs/whatsapp.md first, "
    "and never use a number that you cannot do without."
)
HOW = "On your phone: Settings, Linked devices, Link a device. The code is good for 20 seconds."

Squares = Sequence[Sequence[bool]]
"""Rows of a QR code, its quiet border with it; True is dark."""


def code_in(folder: Path) -> str:
    """The code of the account with this folder; empty while there is none."""
    try:
        return (folder / PAIRING).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def squares(code: str) -> Squares:
    """By a library that comes with the extra; without it, nothing."""
    try:
        import segno  # only who pairs needs it
    except ImportError:
        return ()
    return [[bool(one) for one in row] for row in segno.make(code, error="l").matrix_iter(border=2)]


def letters(found: Squares) -> str:
    """Two rows in a line, light on dark as terminals are."""
    rows = [list(row) for row in found]
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    signs = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
    return "\n".join(
        "".join(signs[a, b] for a, b in zip(rows[i], rows[i + 1], strict=True)) for i in range(0, len(rows), 2)
    )


def path(found: Squares) -> str:
    """The dark squares as an SVG path, one unit each."""
    return "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(found) for x, dark in enumerate(row) if dark)
