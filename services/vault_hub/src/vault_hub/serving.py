"""The HTTP server around the hub: bounded in what a connection may hold, ended by a signal with exit code 0."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from types import FrameType
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from vault_hub.answers import Told
from vault_hub.direct import Direct

LONGEST_HEAD = 32 * 1024
"""Bytes of a request before its body, and of what is no body after that: between two parts of it, and at its end."""

HEAD_SECONDS = 15.0
"""Within which the head of a request, and the first of a connection, is there."""

PIPELINED = 16
"""Requests of one connection that may wait for the one before them."""

REQUEST_SECONDS = 900.0
"""Within which a whole request is there: 64 MB over half a megabit."""

LINGER_SECONDS = 10.0
"""For the rest of a request that was answered before its end; it is read and forgotten."""

HEALTH = (b"/healthz", b"/readyz")
"""Answered however many connections there are: whoever watches asks whether the hub is well, not whether it is full."""

UNACKNOWLEDGED = 60_000
"""Milliseconds after which a peer that acknowledges nothing is gone."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    _head = 0
    """Bytes since the last of a body, or the last request."""
    _reading_head = True
    _complete = True
    _due: asyncio.TimerHandle | None = None
    _deadline: float | None = None
    _direct: Direct | None = None
    _under_way = False
    """A request took the short way and has no answer yet."""
    _ending = False
    _earlier: tuple[Any, ...] = ()
    """Requests without a whole answer yet, before the latest."""
    _unread = ExitStack()
    """What an answer that took the short way holds until it was read."""
    _held = b""
    """What came meanwhile; nothing more is read then."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        line = transport.get_extra_info("socket")
        if line is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED)
        self._direct = getattr(cast(Starlette, self.config.app).state, "direct", None)
        self._expect(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline = None
        if self._due is not None:
            self._due.cancel()
        self._unread.close()
        for cycle in self._earlier:  # uvicorn tells the latest alone: a stream before it would go on for ever
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        self._unread.close()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._under_way:
            self._held += data
            self.flow.pause_reading()
            return
        if self._goes_directly(data):
            return
        self._head += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._head > LONGEST_HEAD:
            self.transport.abort()
        elif self._complete and self._deadline is None and getattr(self.cycle, "response_complete", False):
            self._expect(HEAD_SECONDS)  # empty lines begin no request, and ended the wait for one

    def shutdown(self) -> None:
        if self._under_way:
            self._ending = True  # it gets its answer, and the connection ends after it
        else:
            super().shutdown()

    def _goes_directly(self, data: bytes) -> bool:
        """Whether this is a publish that takes the short way: between two requests, with room, and whole."""
        if (
            self._direct is None
            or not self._complete
            or not getattr(self.cycle, "response_complete", True)
            or self.flow.write_paused
            or self.transport.is_closing()
            or (self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency)
        ):
            return False
        self._under_way = True
        if not self._direct.takes(data, self._answer):
            self._under_way = False
            return False
        if self._under_way:
            self._unset_keepalive_if_required()
            self._expect(None)
        return True

    def _answer(self, response: Response) -> None:
        """To a request that took the short way, in the form in which the long way answers."""
        self._under_way = False
        room = response.held if isinstance(response, Told) else ExitStack()
        if self.transport.is_closing():
            room.close()
            return
        ending = self._ending or response.status_code == 500
        headers = [*self.server_state.default_headers, *response.raw_headers]
        if response.headers.get("connection") == "close":
            ending = True
        elif ending:
            headers.append((b"connection", b"close"))
        head = b"".join(b"%s: %s\r\n" % one for one in headers)
        body = response.parts if isinstance(response, Told) else (bytes(response.body),)
        self.transport.write(b"".join((STATUS_LINE[response.status_code], head, b"\r\n", *body)))
        self._unread = room
        if not self.flow.write_paused:
            room.close()
        if ending:
            self.transport.close()
            return
        self._deadline = None
        self.on_response_complete()
        if self._held:
            held, self._held = self._held, b""
            self.data_received(held)

    def on_message_begin(self) -> None:
        self._reading_head, self._complete = True, False
        self._expect(HEAD_SECONDS)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._reading_head, self._head = False, 0
        self._expect(REQUEST_SECONDS)
        if len(self.pipeline) >= PIPELINED:
            self.transport.abort()
            raise ConnectionAbortedError("too many requests before an answer")  # ends the reading of what came
        limit, before = self.limit_concurrency, self.cycle
        try:
            if self.url in HEALTH:
                self.limit_concurrency = None
            super().on_headers_complete()
        finally:
            self.limit_concurrency = limit
        if not getattr(before, "response_complete", True):
            self._earlier = (*(one for one in self._earlier if not one.response_complete), before)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reading_head:  # what comes after the body says nothing here
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._head = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._complete, self._head = True, 0
        self._expect(None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._complete:  # answered before it was all said; closing now could take the answer away
            self._expect(LINGER_SECONDS)

    def _expect(self, seconds: float | None) -> None:
        """One timer for what is due soonest: it is asked for several times in a request, and seldom goes off."""
        self._deadline = self.loop.time() + seconds if seconds is not None else None
        if self._deadline is not None and (self._due is None or self._due.when() > self._deadline):
            self._wake_at(self._deadline)

    def _wake_at(self, moment: float) -> None:
        if self._due is not None:
            self._due.cancel()
        self._due = self.loop.call_at(moment, self._woken)

    def _woken(self) -> None:
        self._due = None
        if self._deadline is None:
            return
        if self.loop.time() < self._deadline:
            self._wake_at(self._deadline)
        elif not self.transport.is_closing():
            self.transport.abort()


class Server(uvicorn.Server):
    """Ends the streams first: they would wait for the hub, and the hub for them. It does not look ten times a second
    whether it should end, as uvicorn does, but is told."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_streams = end_streams
        self.signalled = False
        self._told: Callable[[], object] | None = None

    async def main_loop(self) -> None:
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        self._told = partial(loop.call_soon_threadsafe, over.set)
        if not self.should_exit:
            await over.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not remembered as uvicorn does, which would raise the signal again: to be told to end is no failure.
        self.signalled = True
        self.end()

    def end(self) -> None:
        """From any thread."""
        self._end_streams()
        self.should_exit = True
        if self._told is not None:
            with suppress(RuntimeError):  # the loop is over already
                self._told()


def configured(
    app: Starlette, *, connections: int, proxies: list[str], graceful: int = 10, **more: Any
) -> uvicorn.Config:
    """`connections`: how many may be open at once. `proxies`: addresses whose word for the caller's is taken."""
    return uvicorn.Config(
        app, http=Protocol, ws="none", log_config=None, access_log=False, lifespan="on", server_header=False,
        date_header=False,  # it would stand still: nothing ticks
        timeout_graceful_shutdown=graceful, timeout_keep_alive=75, limit_concurrency=connections, backlog=512,
        proxy_headers=bool(proxies), forwarded_allow_ips=proxies, **more,
    )  # fmt: skip
