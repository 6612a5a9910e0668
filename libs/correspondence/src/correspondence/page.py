"""Lines of plain text as they are written: white space collapsed, blank lines single, quotes marked."""

from __future__ import annotations

import re

SPACE = re.compile(r"[ \t\n\r\f]+")
DEEPEST_QUOTE = 6


class Page:
    """A page that is written from top to bottom."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._blank_wanted = False
        self._last_quote = 0
        self.quote = 0

    def write(self, text: str, *, keep: bool = False) -> None:
        """Add text to the line, as it is or with its white space collapsed."""
        if not keep:
            text = SPACE.sub(" ", text)
            if not self._line or self._line[-1].endswith((" ", "\t")):
                text = text.lstrip(" ")
            if text:
                self._line.append(text)
            return
        for number, line in enumerate(text.split("\n")):
            if number:
                self.end_line(always=True)
            if line:
                self._line.append(line)

    def gap(self) -> None:
        """Set what follows apart from what stands on the line."""
        if self._line:
            self._line.append("  ")

    def end_line(self, *, always: bool = False) -> None:
        """Begin a new line, also after an empty one when `always`."""
        text = "".join(self._line).rstrip()
        self._line.clear()
        if not text and not always:
            return
        depth = min(self.quote, DEEPEST_QUOTE)
        mark = "> " * depth
        if self._blank_wanted and self._lines and self._lines[-1].strip("> "):
            self._lines.append(("> " * min(depth, self._last_quote)).rstrip())
        self._blank_wanted = False
        if text or not self._lines or self._lines[-1].strip("> "):
            self._lines.append((mark + text).rstrip())
            self._last_quote = depth

    def paragraph(self) -> None:
        """Begin a new line with a blank one before it."""
        self.end_line()
        self._blank_wanted = True

    def text(self) -> str:
        """All that was written."""
        self.end_line()
        return "\n".join(self._lines).strip("\n")
