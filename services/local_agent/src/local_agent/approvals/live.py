"""Telling open pages that something moved. Nothing of it is content: a page asks again for what it shows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

BEAT = 25.0
"""Seconds after which a silent stream says that it is there: proxies and phones cut what is silent."""


class Live:
    """`tell` may be called from any thread; each listener belongs to the page's loop."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._listeners: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._ended = False

    def tell(self) -> None:
        """Something moved."""
        with self._guard:
            for event, loop in self._listeners.items():
                with suppress(RuntimeError):  # its server has ended, and nobody listens there any more
                    loop.call_soon_threadsafe(event.set)

    def end(self) -> None:
        """Let every listener go, so that the server can end."""
        self._ended = True
        self.tell()

    async def events(self) -> AsyncIterator[bytes]:
        """Server-sent events, until the listener leaves."""
        event = asyncio.Event()
        with self._guard:
            self._listeners[event] = asyncio.get_running_loop()
        try:
            yield b"retry: 2000\n\n"
            while not self._ended:
                try:
                    await asyncio.wait_for(event.wait(), BEAT)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                event.clear()
                yield b"event: moved\ndata: {}\n\n"
        finally:
            with self._guard:
                self._listeners.pop(event, None)
