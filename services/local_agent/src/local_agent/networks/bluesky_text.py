"""What Bluesky has to be told of a text: where in its bytes links, mentions and hashtags stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from social.words import HASHTAG, MENTION, link_spans


def facets(text: str, resolve: Callable[[str], str | None]) -> list[dict[str, Any]]:
    """`resolve` gives the id of an account by its handle; a name that is nobody's stays plain text."""
    found: list[tuple[int, int, dict[str, Any]]] = []
    spans = link_spans(text)
    for start, end in spans:
        found.append((start, end, {"$type": "app.bsky.richtext.facet#link", "uri": text[start:end]}))
    for match in (one for one in HASHTAG.finditer(text) if not _inside(one.start(), spans)):
        tag = {"$type": "app.bsky.richtext.facet#tag", "tag": match.group()[1:]}
        found.append((match.start(), match.end(), tag))
    for match in (one for one in MENTION.finditer(text) if not _inside(one.start(), spans)):
        did = resolve(match.group()[1:]) if "." in match.group() else None
        if did:
            mention = {"$type": "app.bsky.richtext.facet#mention", "did": did}
            found.append((match.start(), match.end(), mention))
    return [
        {"index": {"byteStart": _bytes(text, start), "byteEnd": _bytes(text, end)}, "features": [feature]}
        for start, end, feature in sorted(found, key=lambda one: one[0])
    ]


def _inside(at: int, spans: tuple[tuple[int, int], ...]) -> bool:
    return any(start <= at < end for start, end in spans)


def _bytes(text: str, at: int) -> int:
    return len(text[:at].encode("utf-8"))
