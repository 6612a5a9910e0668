"""The hub's stream of new commits, read by a thread of its own. When it breaks it is opened again, ever more slowly."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from .hub import CommitId

SILENCE = 45.0
"""Seconds without even a heartbeat after which the line is dead."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0
STEADY = 5.0
"""Seconds after which a stream that ended was a good one: the next is asked for at once."""

KEPT, KEPT_BYTES = 4096, 64 * 1024 * 1024
"""Commits, and bytes of them, held for the agent; what is beyond is asked for."""

LONGEST_EVENT = 64 * 1024 * 1024

Connect = Callable[[float], http.client.HTTPConnection]


class Stream:
    """`wait` returns when something came. `alive`: the hub was heard, and not lost since."""

    def __init__(
        self, connect: Connect, headers: Callable[[], dict[str, str]], head: Callable[[], CommitId | None]
    ) -> None:
        """`head` is what the agent has; the stream begins there."""
        self._connect, self._headers, self._head = connect, headers, head
        self._heard, self._ended = threading.Event(), threading.Event()
        self._came: deque[bytes] = deque()
        self._bytes = 0
        self._behind = False
        self._socket: socket.socket | None = None
        self.alive = False
        self._thread = threading.Thread(target=self._run, name="hub-stream", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._heard.set()
        line = self._socket
        if line is not None:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def wait(self, seconds: float) -> bool:
        """Whether something came."""
        heard = self._heard.wait(seconds)
        if heard:
            self._heard.clear()
        return heard

    def taken(self) -> list[bytes]:
        """The commits that came, in order, each once."""
        found = []
        while self._came:
            found.append(self._came.popleft())
        self._bytes = 0
        return found

    def behind(self) -> bool:
        """Whether something was missed since the last call."""
        was, self._behind = self._behind, False
        return was

    def _run(self) -> None:
        try:
            self._keep_listening()
        finally:
            self.alive = False  # whatever ended it, the agent looks for itself from now on

    def _keep_listening(self) -> None:
        pause = FIRST_PAUSE
        while not self._ended.is_set():
            began = time.monotonic()
            with suppress(OSError, http.client.HTTPException, ValueError):
                self._listen()
            pause = FIRST_PAUSE if time.monotonic() - began >= STEADY else min(pause * 2, LONGEST_PAUSE)
            was_alive, self.alive, self._socket = self.alive, False, None
            if was_alive:
                self._behind = True
                self._heard.set()  # the agent looks for itself now
            self._ended.wait(pause)

    def _listen(self) -> None:
        connection = self._connect(SILENCE)
        try:
            since = self._head()
            path = "/v1/events" + (f"?since={since}" if since else "")
            connection.request("GET", path, headers={**self._headers(), "Accept": "text/event-stream"})
            self._socket = connection.sock
            response = connection.getresponse()
            if response.status != 200:
                raise OSError(f"status {response.status}")
            self._read(response)
        finally:
            connection.close()

    def _read(self, response: http.client.HTTPResponse) -> None:
        kind = content = b""
        while not self._ended.is_set():
            line = response.readline(LONGEST_EVENT)
            if not line:
                return
            name, _, value = line.rstrip(b"\r\n").partition(b": ")
            if name == b"event":
                kind = value
            elif name == b"data":
                content = value
            elif not name and kind:
                self._event(kind, content)
                kind = content = b""

    def _event(self, kind: bytes, content: bytes) -> None:
        if kind == b"commit":
            if len(self._came) < KEPT and self._bytes < KEPT_BYTES:
                self._came.append(content)
                self._bytes += len(content)
            else:
                self._behind = True
        elif kind == b"behind":
            self._behind = True
        self.alive = True
        self._heard.set()
