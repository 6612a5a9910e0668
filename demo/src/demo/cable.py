"""A cable between a client and a server, which a test can cut, or lead through TLS on the client's side."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from demo.serving import LOOPBACK, port_of


class Cable:
    """Listens on `port` of an address of this machine and passes on what comes, both ways."""

    def __init__(self, target_port: int, tls: ssl.SSLContext | None, address: str = LOOPBACK) -> None:
        self.port = 0
        self._address = address
        self._target_port = target_port
        self._tls = tls
        self._ends: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._closed = asyncio.Event()

    def cut(self) -> None:
        """Break every connection there is; new ones may be made."""
        self._loop.call_soon_threadsafe(self._abort_all)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._closed.set)

    def run(self, ready: threading.Event) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        server = await asyncio.start_server(self._connect, self._address, 0, ssl=self._tls)
        self.port = port_of(server)
        ready.set()
        await self._closed.wait()
        server.close()
        self._abort_all()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._target_port)
        except OSError:
            writer.transport.abort()
            return
        self._ends.add(far_writer)
        await asyncio.gather(_pass_on(reader, far_writer), _pass_on(far_reader, writer))

    def _abort_all(self) -> None:
        while self._ends:
            self._ends.pop().transport.abort()


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while received := await source.read(65536):
            target.write(received)
            await target.drain()
    target.close()


@contextmanager
def cable(
    target_port: int, tls: ssl.SSLContext | None = None, *, address: str = LOOPBACK
) -> Iterator[Cable]:  # fmt: skip
    """A cable for one block; `tls` is the server side's context."""
    laid = Cable(target_port, tls, address)
    ready = threading.Event()
    thread = threading.Thread(target=laid.run, args=(ready,))
    thread.start()
    ready.wait()
    try:
        yield laid
    finally:
        laid.close()
        thread.join()
