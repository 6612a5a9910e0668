"""What stands in a post besides plain words: links, hashtags, mentions."""

from __future__ import annotations

import regex

LINK = regex.compile(r"https?://[^\s<>\"]+", regex.IGNORECASE)
_TRAILING = ".,;:!?'\")]}»”’"

BARE = regex.compile(
    r"(?<![\p{L}\p{N}@.:/_-])(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+\p{L}{2,24}(?![\p{L}\p{N}@-])(?:/[^\s<>\"]*)?"
)
"""A domain without `https://`, which X takes for a link, too."""

HASHTAG = regex.compile(r"(?<![\p{L}\p{N}_&/])[#＃][\p{L}\p{N}_]*\p{L}[\p{L}\p{N}_]*")
MENTION = regex.compile(
    r"(?<![\p{L}\p{N}_./])@[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?(?:@[A-Za-z0-9.-]+[A-Za-z0-9])?"
)
GRAPHEME = regex.compile(r"\X")
_EMOJI = regex.compile(r"\p{Emoji_Presentation}|\p{Emoji}\uFE0F|\p{RI}\p{RI}")


def links(text: str) -> tuple[str, ...]:
    """Every http and https address, without the punctuation that ends its sentence."""
    return tuple(_trimmed(found.group()) for found in LINK.finditer(text))


def link_spans(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((found.start(), found.start() + len(_trimmed(found.group()))) for found in LINK.finditer(text))


def hashtags(text: str) -> tuple[str, ...]:
    return tuple(found.group() for found in HASHTAG.finditer(_without_links(text)))


def mentions(text: str) -> tuple[str, ...]:
    """Who would be told of this post."""
    return tuple(dict.fromkeys(found.group() for found in MENTION.finditer(_without_links(text))))


def graphemes(text: str) -> int:
    """What a person takes for one character, counted."""
    return sum(1 for _ in GRAPHEME.finditer(text))


def is_emoji(grapheme: str) -> bool:
    return _EMOJI.search(grapheme) is not None


def _without_links(text: str) -> str:
    return str(LINK.sub(" ", text))


def _trimmed(link: str) -> str:
    while link and link[-1] in _TRAILING and not (link[-1] == ")" and link.count("(") >= link.count(")")):
        link = link[:-1]
    return link
