"""How the demos speak: one line an event, with the time and who it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

COLOURS = {
    "you": "bold cyan", "cloud": "blue", "local": "green", "hub": "magenta", "mail": "yellow", "fault": "red",
    "demo": "dim",
}  # fmt: skip


@dataclass(frozen=True)
class Teller:
    """`stamp` is the time as it stands before a line, ten characters at most."""

    console: Console
    stamp: Callable[[], str]

    def say(self, who: str, what: str) -> None:
        """Without `who` it goes on with the line before."""
        line = Table.grid(padding=(0, 0))
        line.add_column(width=10, no_wrap=True)
        line.add_column(width=7, no_wrap=True)
        line.add_column(overflow="fold")
        line.add_row(
            Text(self.stamp() if who else "", style="dim"), Text(who, style=COLOURS.get(who, "white")), Text(what)
        )
        self.console.print(line)

    def chapter(self, title: str) -> None:
        self.console.print()
        self.console.rule(Text(title), style="dim", align="left")
