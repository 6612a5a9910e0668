"""Message-IDs, and the thread they make."""

from __future__ import annotations

import re

MOST_REFERENCES = 50
MESSAGE_ID = re.compile(r"<([!-;=?-~]{1,250})>")


def read_ids(header: str) -> tuple[str, ...]:
    """The usable ids of a header, in order, each once; of very many the first and the last ones."""
    ids = tuple(dict.fromkeys(match.group() for match in MESSAGE_ID.finditer(header)))
    return bounded(ids, MOST_REFERENCES)


def is_id(text: str) -> bool:
    """Whether this is one usable id in its angle brackets."""
    return MESSAGE_ID.fullmatch(text) is not None


def bounded(ids: tuple[str, ...], most: int) -> tuple[str, ...]:
    """At most that many: the first, which names the thread, and the last ones, which are nearest."""
    return ids if len(ids) <= most else (ids[0], *ids[len(ids) - most + 1 :])
