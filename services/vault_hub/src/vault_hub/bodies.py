"""Reading a request's body: bounded in bytes, in time and in how many are held at once."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from vault_hub.doorkeeper import Caller, Denied, denied
from vault_hub.room import NoRoom, Room, Share
from vault_protocol.wire import BadWire

PART_SECONDS = 20.0
"""Within which the next part of a body comes."""

PARTS = 200_000
"""Commas and brackets between the texts of a JSON body: each stands for an object in memory many times its size."""

_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""A text, ended or not. From each quote there is one way to read on: a body is read once, whatever it holds."""


class Bodies:
    """`most` bytes of one body; of all that are held, as many for one credential and twice as many together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._room = Room("bytes of requests", each=most, all_together=2 * most)

    @property
    def held(self) -> int:
        return self._room.used

    def share(self, caller: Caller, size: int) -> AbstractContextManager[Share]:
        """Room for so many bytes that are here already. Raises NoRoom, and Denied when it is never that much."""
        if size > self._most:
            raise Denied(self._too_large())
        return self._room.share(caller.agent, size)

    def _too_large(self) -> Response:
        return denied(413, "size", f"a request holds {self._most} bytes at most")

    @asynccontextmanager
    async def of(self, request: Request, caller: Caller, *, zipped: bool = False) -> AsyncIterator[bytes]:
        """The body, held until the end of the block. Raises Denied. `zipped`: gzip is understood."""
        encoding = request.headers.get("content-encoding", "identity").lower()
        gzipped = zipped and encoding in ("gzip", "x-gzip")
        if encoding != "identity" and not gzipped:
            raise Denied(denied(415, "wire", "the body is in an encoding that is not understood"))
        try:
            with self._room.share(caller.agent, 0) as share:
                parts, size, came = [], 0, 0
                unzip = zlib.decompressobj(16 + zlib.MAX_WBITS) if gzipped else None
                source = aiter(request.stream())
                while True:
                    async with asyncio.timeout(PART_SECONDS):
                        part = await anext(source, None)
                    if part is None:
                        break
                    came += len(part)
                    if unzip is not None:
                        if unzip.eof:
                            raise Denied(denied(400, "wire", "something comes after the gzip"))
                        part = unzip.decompress(part, self._most - size + 1)
                    size += len(part)
                    if max(size, came) > self._most or (unzip is not None and unzip.unconsumed_tail):
                        raise Denied(self._too_large())
                    if unzip is not None and unzip.unused_data:
                        raise Denied(denied(400, "wire", "something comes after the gzip"))
                    share.take(len(part))
                    parts.append(part)
                if unzip is not None and not unzip.eof:
                    raise Denied(denied(400, "wire", "the gzip is cut off"))
                body = parts[0] if len(parts) == 1 else b"".join(parts)
                del parts
                yield body
        except NoRoom as error:
            raise Denied(no_room(error)) from None
        except TimeoutError:
            raise Denied(denied(408, "time", "the body did not come")) from None
        except (zlib.error, ClientDisconnect):
            raise Denied(denied(400, "wire", "the body cannot be read")) from None


def no_room(error: NoRoom) -> Response:
    """Come back in a second."""
    return denied(429, "rate", str(error), {"Retry-After": "1"})


def check_parts(body: bytes) -> None:
    """Raises BadWire when this JSON would take many times its size in memory."""
    if b"\0" in body:  # none is in UTF-8, and in UTF-16, which a parser would take, quotes are found elsewhere
        raise BadWire("it is no JSON in UTF-8")
    if _parts(body, 0, len(body)) > PARTS and _outside(body) > PARTS:
        raise BadWire(f"its JSON has over {PARTS} parts")


def _outside(body: bytes) -> int:
    """Those that stand in no text, counted until they are too many."""
    found = at = 0
    for number, text in enumerate(_TEXT.finditer(body)):
        # Between two parts stand a key and its value at most.
        found = max(found + _parts(body, at, text.start()), number // 2)
        at = text.end()
        if found > PARTS:
            return found
    return found + _parts(body, at, len(body))


def _parts(body: bytes, start: int, end: int) -> int:
    return sum(body.count(mark, start, end) for mark in (b",", b"[", b"{"))
