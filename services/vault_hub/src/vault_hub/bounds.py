"""How large one commit may be, and how it must be spelled, so that whoever follows can make the very same one."""

from __future__ import annotations

import re

from vault_protocol.changeset import BadChangeset
from vault_protocol.errors import Refused
from vault_protocol.wire import Parcel

PATHS = 10_000
"""Paths one commit may touch."""

FOLDERS = 5_000
"""Folders one commit may touch; a follower gives up at four times as many."""

MESSAGE = 16 * 1024
"""Characters of a commit message."""

LONGEST_PATH = 1024
"""Characters of a path that is looked at at all."""

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f]")


def judge(parcel: Parcel) -> None:
    """Raises Refused or BadChangeset. Cheap: it comes before anything that is not."""
    if len(parcel.edits) > PATHS:
        raise Refused("size", "", f"it touches over {PATHS} paths")
    folders: set[str] = set()
    for path in parcel.edits:
        if len(path) > LONGEST_PATH:
            raise Refused("name", path[:200], "the path is too long")
        above = path.rpartition("/")[0]
        while above and above not in folders:
            folders.add(above)
            above = above.rpartition("/")[0]
    if len(folders) > FOLDERS:
        raise Refused("size", "", f"it touches over {FOLDERS} folders")
    _judge_message(parcel.message)
    if parcel.at.timestamp() < 0:
        raise Refused("time", "", "it is from before 1970; git cannot tell such a time")


def _judge_message(message: str) -> None:
    """git drops what stands before the first line and what comes after a NUL: others would read another message."""
    if len(message) > MESSAGE:
        raise BadChangeset(f"its message is over {MESSAGE} characters")
    if message.startswith("\n") or _CONTROL.search(message):
        raise BadChangeset("its message holds control characters, or begins with an empty line")
