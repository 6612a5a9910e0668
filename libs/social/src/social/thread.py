"""A text that is too long for one post, as a thread: cut between words, never in one, never in a link."""

from __future__ import annotations

import re
from collections.abc import Sequence

from social.length import fault
from vault_protocol.social_action import NEXT_POST, Network

_WORD = re.compile(r"\S+\s*")
_SENTENCE = re.compile(r"[.!?…][\"'»”’)\]]*\s+$")
_FULL_ENOUGH = 0.4
"""A post is cut at a paragraph or sentence rather than at a word when that leaves it at least so full."""


class TooLongAWord(ValueError):
    """One word or link alone is longer than a post may be."""


def split(text: str, network: Network) -> tuple[str, ...]:
    """The posts, in order: as few as the network's limit allows with good places to cut.

    Raises TooLongAWord.
    """
    posts: list[str] = []
    words = _WORD.findall(text.strip())
    while words:
        count = _fitting(words, network)
        if count == 0:
            raise TooLongAWord(f"{words[0].strip()[:60]!r} alone is too long for a post")
        if count < len(words):
            count = _good_place(words[:count])
        posts.append("".join(words[:count]).strip())
        words = words[count:]
    return tuple(posts)


def joined(posts: Sequence[str]) -> str:
    """The text of a PublishPost that has these posts."""
    return f"\n{NEXT_POST}\n".join(post.strip() for post in posts) + "\n"


def _fitting(words: Sequence[str], network: Network) -> int:
    """How many words from the beginning fit into one post; found by halving, for length only grows."""
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        if fault("".join(words[:middle]).strip(), network) is None:
            low = middle
        else:
            high = middle - 1
    return low


def _good_place(words: Sequence[str]) -> int:
    least = len("".join(words)) * _FULL_ENOUGH
    for ends_well in (_ends_paragraph, _ends_sentence, _ends_line):
        used = len("".join(words))
        for count in range(len(words), 0, -1):
            if used < least:
                break
            if ends_well(words[count - 1]):
                return count
            used -= len(words[count - 1])
    return len(words)


def _ends_paragraph(word: str) -> bool:
    return word.count("\n") >= 2


def _ends_sentence(word: str) -> bool:
    return _SENTENCE.search(word) is not None


def _ends_line(word: str) -> bool:
    return "\n" in word
