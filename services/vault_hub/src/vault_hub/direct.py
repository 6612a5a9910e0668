"""The short way to `/v1/publish`: a plain request that came in one piece is read here and not by the web framework.

Who asks, how much, how often and what for is decided by the same doorkeeper, rooms and arbiter as on the long way.
Whatever is not exactly what an agent's client sends, or comes without a good token, takes the long way.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import structlog
from starlette.responses import Response

from vault_hub.api import LARGE, Api
from vault_hub.doorkeeper import Doorkeeper

log = structlog.get_logger()

REQUEST_LINE = b"POST /v1/publish HTTP/1.1\r\n"

LONGEST_HEAD = 8 * 1024
"""Bytes of a head that is read here."""

_PLAIN = "host authorization content-length content-type accept accept-encoding user-agent"
_FORWARDED = "via x-forwarded-for x-forwarded-host x-forwarded-proto"
UNDERSTOOD = frozenset(name.encode() for name in f"{_PLAIN} {_FORWARDED}".split())
"""Headers a request may have; all but two mean nothing here. Who was forwarded matters without a good token alone."""

NEEDED = (b"host", b"authorization", b"content-length")

_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")

Answered = Callable[[Response], None]


def read(data: bytes) -> tuple[str, bytes] | None:
    """What authorizes the request, and its body. None when it is not one whole plain request and nothing more."""
    if not data.startswith(REQUEST_LINE):
        return None
    end = data.find(b"\r\n\r\n", len(REQUEST_LINE) - 2, LONGEST_HEAD)
    if end < 0:
        return None
    headers: dict[bytes, bytes] = {}
    for line in data[len(REQUEST_LINE) : end].split(b"\r\n"):
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or name not in UNDERSTOOD or name in headers or not _VALUE.fullmatch(value):
            return None
        headers[name] = value.strip(b" \t")
    if not all(headers.get(name) for name in NEEDED):
        return None
    length, body = headers[b"content-length"], data[end + 4 :]
    if not length.isdigit() or len(length) > 8 or int(length) != len(body) or len(body) >= LARGE:
        return None
    return headers[b"authorization"].decode("latin-1"), body


class Direct:
    """Takes publishes for one hub. For its event loop."""

    def __init__(self, api: Api, door: Doorkeeper) -> None:
        self._api, self._door = api, door

    def takes(self, data: bytes, answered: Answered) -> bool:
        """Whether it took this request, which is all there is. `answered` is called once then, on the loop."""
        found = read(data)
        caller = self._door.known(found[0]) if found is not None else None
        if found is None or caller is None:
            return False
        try:
            self._api.publish(caller, found[1], answered)
        except Exception:  # as the framework does it: said in the log, answered with 500, and the others go on
            log.exception("publish.bug", agent=caller.agent)
            answered(Response("Internal Server Error", 500, media_type="text/plain"))
        return True
