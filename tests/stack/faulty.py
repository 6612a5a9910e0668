"""A relay before a real server that loses, holds or drips, so that a client can be killed at a known step."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Fault(Enum):
    """What happens to one request. A held one waits for `Relay.release`."""

    NONE = "passed on and answered"
    LOST_BEFORE = "never passed on"
    LOST_AFTER = "passed on, its answer lost"
    HELD_BEFORE = "held before it is passed on"
    HELD_AFTER = "passed on, its answer held"
    CUT = "half of its answer given"
    DRIPPED = "answered a byte at a time"


@dataclass
class Relay:
    """`faults` by the number of the request, from 1; others are passed on."""

    upstream: str
    faults: dict[int, Fault] = field(default_factory=dict)
    reached: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    settled: threading.Event = field(default_factory=threading.Event)
    """Set when the faulty request has been dealt with."""
    seen: int = 0
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _method: bytes = b""

    def hold(self, method: str) -> None:
        """The next call of this method is passed on, and its answer held."""
        with self._lock:
            self.reached, self.release = threading.Event(), threading.Event()
            self._method = f'"{method}"'.encode()

    def next(self, body: bytes) -> Fault:
        with self._lock:
            self.seen += 1
            if self._method and self._method in body:
                self._method = b""
                return Fault.HELD_AFTER
            return self.faults.get(self.seen, Fault.NONE)


@contextmanager
def relaying(relay: Relay) -> Iterator[Relay]:
    """The relay, listening on loopback while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fault = relay.next(body)
            try:
                self._deal(fault, body)
            except OSError:
                return  # the client is gone
            finally:
                if fault is not Fault.NONE:
                    relay.settled.set()

        def _deal(self, fault: Fault, body: bytes) -> None:
            if fault is Fault.HELD_BEFORE:
                relay.reached.set()
                relay.release.wait()
            if fault in (Fault.LOST_BEFORE, Fault.HELD_BEFORE):
                return
            answer = self._passed_on(body)
            if fault is Fault.HELD_AFTER:
                relay.reached.set()
                relay.release.wait()
            if fault in (Fault.LOST_AFTER, Fault.HELD_AFTER):
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            if fault is Fault.DRIPPED:
                for byte in answer:
                    self.wfile.write(bytes([byte]))
                    if relay.release.wait(0.05):
                        return
            else:
                self.wfile.write(answer[: len(answer) // 2] if fault is Fault.CUT else answer)

        def _passed_on(self, body: bytes) -> bytes:
            asked = urllib.request.Request(relay.upstream + self.path, body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(asked, timeout=60) as reply:
                answer: bytes = reply.read()
            return answer

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the base class names it so
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        relay.url = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            relay.release.set()
            listening.shutdown()
            thread.join()
