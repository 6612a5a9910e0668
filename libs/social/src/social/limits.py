"""What the networks allow, as data. Most of it from their own documents, read in November 2026 (docs/social.md).

Where a network does not say how it counts, it is counted here so that the number is never too small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from vault_protocol.social_action import Network

MB = 1024 * 1024


class Unit(StrEnum):
    """What a network counts in. The value is what a person is told."""

    WEIGHTED = "characters as X weighs them"
    GRAPHEMES = "characters"
    UTF16 = "characters, an emoji as two or more"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """One network. Sizes are bytes; `types` has each kind of picture with the most it may weigh."""

    name: str
    unit: Unit
    longest: int
    bytes_: int | None = None
    """UTF-8 bytes that a text may have beside its characters."""
    link_weight: int | None = None
    """What every link counts, however long it is."""
    reply_longest: int | None = None
    """For an answer, where that is a comment with a limit of its own."""
    threads: bool = False
    cards: bool = False
    """Whether a link can be shown beside the text, without standing in it."""
    pictures: int
    pictures_needed: bool = False
    reply_pictures: int | None = None
    """None: as many as a post."""
    types: Mapping[str, int]
    alt: int | None
    """Characters of a picture's description; None: the network takes none."""
    hashtags: int | None = None
    mentions: int | None = None
    reply_hashtags: int | None = None
    reply_links: int | None = None
    fold: int | None = None
    """About how many characters are shown before `more`."""


def _types(size: int, *kinds: str) -> Mapping[str, int]:
    return {f"image/{kind}": size for kind in kinds}


LIMITS: Mapping[Network, Limits] = {
    "linkedin": Limits(
        name="LinkedIn", unit=Unit.UTF16, longest=3000, reply_longest=1250, cards=True, pictures=20,
        reply_pictures=0, types=_types(5 * MB, "jpeg", "png", "gif"), alt=4086, fold=210,
    ),
    "facebook": Limits(
        name="Facebook", unit=Unit.UTF16, longest=63206, reply_longest=8000, cards=True, pictures=10,
        reply_pictures=0, types=_types(4 * MB, "jpeg", "png", "gif", "bmp", "tiff"), alt=1000, fold=477,
    ),
    "instagram": Limits(
        name="Instagram", unit=Unit.UTF16, longest=2200, reply_longest=300, pictures=10, pictures_needed=True,
        reply_pictures=0, types=_types(8 * MB, "jpeg"), alt=1000, hashtags=30, mentions=20, reply_hashtags=4,
        reply_links=1, fold=125,
    ),
    "x": Limits(
        name="X", unit=Unit.WEIGHTED, longest=280, link_weight=23, threads=True, pictures=4,
        types={**_types(5 * MB, "jpeg", "png", "webp"), "image/gif": 15 * MB}, alt=1000,
    ),
    "mastodon": Limits(
        name="Mastodon", unit=Unit.GRAPHEMES, longest=500, link_weight=23, threads=True, pictures=4,
        types=_types(16 * MB, "jpeg", "png", "gif", "webp", "avif", "heic"), alt=1500,
    ),
    "bluesky": Limits(
        name="Bluesky", unit=Unit.GRAPHEMES, longest=300, bytes_=3000, threads=True, cards=True, pictures=4,
        types=_types(2_000_000, "jpeg", "png", "webp", "gif"), alt=2000,
    ),
}  # fmt: skip
