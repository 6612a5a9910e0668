"""A post as its readers will meet it, and how much of the network's limit it uses."""

from __future__ import annotations

from rich.rule import Rule
from rich.text import Text

from local_agent.cli import words
from local_agent.cli.session import Session
from social import LIMITS, previews
from vault_protocol.action import PublishPost


def preview(session: Session, action: PublishPost) -> None:
    """Each post with its length; what stands behind `more` is dim."""
    name = LIMITS[action.network].name
    for one in previews(action):
        over = one.used > one.limit
        title = Text(f"{name}: {one.measure}", style="bold red" if over else "")
        session.show(Rule(title, align="left", style="dim"))
        shown = words.block(one.shown)
        if one.rest:
            shown += Text(" … more\n", style="bold") + words.block(one.rest, "dim")
        session.out.print(shown, soft_wrap=True)
        for media in action.media_of(one.number):
            session.say(f"[{media.media_type}] {words.exactly(media.name)}: {words.exactly(media.alt) or '—'}", "cyan")
        if action.link and one.number == 1 and LIMITS[action.network].cards:
            session.say(f"[link] {words.exactly(action.link)}", "cyan")
