"""A line to the hub that is cut: after so many bytes of an answer or of a request, or that swallows everything."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Cutting:
    """Passes everything on, except: `answers`/`requests` holds, for each coming connection, after how many bytes of
    that direction it is cut. `deaf`: what the hub says is not passed on at all."""

    target: int
    answers: list[int] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    deaf: bool = False
    passed: int = 0
    """Bytes of answers that were passed on."""
    port: int = 0

    def serve(self, listening: socket.socket) -> None:
        while True:
            try:
                ours, _ = listening.accept()
            except OSError:
                return
            limits = (self.requests.pop(0) if self.requests else None, self.answers.pop(0) if self.answers else None)
            threading.Thread(target=self._connected, args=(ours, *limits), daemon=True).start()

    def _connected(self, ours: socket.socket, requests: int | None, answers: int | None) -> None:
        with ours:
            try:
                theirs = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            with theirs:
                up = threading.Thread(target=self._pass, args=(ours, theirs, requests, False), daemon=True)
                up.start()
                self._pass(theirs, ours, answers, True)
                up.join()

    def _pass(self, source: socket.socket, target: socket.socket, left: int | None, answers: bool) -> None:
        with suppress(OSError):
            while part := source.recv(1 << 16):
                if answers and self.deaf:
                    continue
                part = part if left is None else part[:left]
                target.sendall(part)
                if answers:
                    self.passed += len(part)
                if left is not None:
                    left -= len(part)
                    if left == 0:
                        break
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting(target: int) -> Iterator[Cutting]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        line = Cutting(target, port=listening.getsockname()[1])
        serving = threading.Thread(target=line.serve, args=(listening,), daemon=True)
        serving.start()
        try:
            yield line
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            serving.join()
