"""A hub that never comes to an end: pages of commits that nobody signed, or an answer that comes by single bytes."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from vault_protocol import wire
from vault_protocol.hub import Commit, CommitId
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId

Answer = Callable[[wire.Object], wire.Object]
"""What it says to a request for changes; none of it has to be true."""


class Unsigned:
    """Goes on from wherever it is asked, each time with other commits of `size` random bytes, four to a page."""

    def __init__(self, folder: Path, *, onto: CommitId | None = None, store: GitStore | None = None, size: int) -> None:
        """`onto` is the commit of `store` that the first one follows."""
        self._store, self._size = store or GitStore(folder / "hostile.git"), size
        self._onto, self.asked, self.made = onto, 0, 0

    def __call__(self, body: wire.Object) -> wire.Object:
        self.asked += 1
        have = body["have"]
        at = CommitId(have[0]) if have else self._onto
        return page(self._store, [*self._four(at)], more=True)

    def _four(self, at: CommitId | None) -> Iterator[Commit]:
        for _ in range(4):
            self.made += 1
            edits, before = {f"x/{self.made}.md": os.urandom(self._size)}, at
            when = datetime.fromtimestamp(10**9 + self.made, UTC)
            at = self._store.commit(at, edits, message="unsigned", author=AgentId("nobody"), at=when)
            yield from self._store.history(before, at)


def page(store: GitStore, commits: Sequence[Commit], *, more: bool) -> wire.Object:
    parcels = [wire.packed(wire.parcel(store, one)) for one in commits]
    return {"head": commits[-1].id, "more": more, "known": True, "commits": parcels}


def paged(store: GitStore, head: CommitId, at_once: int) -> Answer:
    """An honest hub with so few commits to a page."""
    line = store.history(None, head)
    names = [one.id for one in line]

    def answer(body: wire.Object) -> wire.Object:
        begin = names.index(body["have"][0]) + 1 if body["have"] else 0
        found = line[begin : begin + at_once]
        if not found:
            return {"head": head, "more": False, "known": True, "commits": []}
        return page(store, found, more=found[-1].id != head)

    return answer


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """The address of a hub that says this to everything."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = wire.loaded(self.rfile.read(int(self.headers["Content-Length"])))
            said = wire.dumped(answer(body))
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def trickling(begin: bytes, drop: bytes) -> Iterator[str]:
    """The address of a hub whose every answer begins so, and goes on by one `drop` after the other."""
    ended = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def trickle(line: socket.socket) -> None:
        with line, suppress(OSError):
            line.recv(65536)
            line.sendall(begin)
            while not ended.is_set():
                line.sendall(drop)
                time.sleep(0.01)

    def take() -> None:
        with suppress(OSError):
            while True:
                line, _ = server.accept()
                threading.Thread(target=trickle, args=(line,), daemon=True).start()

    threading.Thread(target=take, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        ended.set()
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()


BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n", b" "
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"
HEAD = b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"
"""The body, its chunks, or already the head comes so."""


def weight(folder: Path) -> int:
    """Bytes of the files below it."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
