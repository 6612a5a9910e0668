"""What readers will see of a post before they ask for more, and how much of the limit it uses."""

from __future__ import annotations

from dataclasses import dataclass

from social.length import length
from social.limits import LIMITS
from social.words import GRAPHEME
from vault_protocol.social_action import PublishPost


@dataclass(frozen=True)
class Preview:
    """One post of a thread. `rest` is what most readers see only after they ask."""

    number: int
    of: int
    used: int
    limit: int
    unit: str
    shown: str
    rest: str

    @property
    def measure(self) -> str:
        """`post 1 of 2: 120 of 280 characters`."""
        which = f"post {self.number} of {self.of}: " if self.of > 1 else ""
        return f"{which}{self.used} of {self.limit} {self.unit}"


def previews(action: PublishPost) -> tuple[Preview, ...]:
    """Every post of the action, in order."""
    limits, posts = LIMITS[action.network], action.posts
    longest = (limits.reply_longest if action.reply_to else None) or limits.longest
    return tuple(
        Preview(
            number, len(posts), length(text, action.network), longest, limits.unit.value, *_folded(text, limits.fold)
        )
        for number, text in enumerate(posts, 1)
    )


def _folded(text: str, fold: int | None) -> tuple[str, str]:
    if fold is None:
        return text, ""
    ends = [found.end() for found in GRAPHEME.finditer(text)]
    if len(ends) <= fold:
        return text, ""
    return text[: ends[fold - 1]], text[ends[fold - 1] :]
