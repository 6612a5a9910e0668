"""Values as people read them."""

from __future__ import annotations

from rich.text import Text

from vault_protocol.plain import one_line, visible


def line(text: str, style: str = "", limit: int = 200) -> Text:
    """Text from outside in one line of a table, cut where the table has no room."""
    return Text(one_line(text, limit), style=style, no_wrap=True, overflow="ellipsis")


def block(text: str, style: str = "") -> Text:
    """Text from outside as it is, without what would steer a terminal."""
    return Text(visible(text).replace("\t", "    "), style=style)


def exactly(text: str) -> str:
    """Text from outside in one line, every visible character as it is."""
    return " ".join(visible(text).split())
