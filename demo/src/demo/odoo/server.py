"""Odoo's `/jsonrpc` over the records, on loopback, with faults: answers lost, requests lost, calls undone."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

from demo.odoo.records import KEY, USER, Fault, Records


class Fate(Enum):
    """What becomes of one call of an acting method."""

    ANSWERED = "answered"
    ANSWER_LOST = "done, and the answer lost"
    REQUEST_LOST = "lost on the way"
    UNDONE = "undone because of a concurrent change"


@dataclass
class Server:
    """The records behind a port. `fates` are used up call by call; after them `one_in` calls loses its answer."""

    records: Records = field(default_factory=Records)
    fates: deque[Fate] = field(default_factory=deque)
    one_in: int = 0
    chance: Random = field(default_factory=lambda: Random(7))  # noqa: S311 - faults by a seed
    keys: dict[str, str] = field(default_factory=lambda: dict(KEY))
    port: int = 0
    told: list[tuple[str, Fate]] = field(default_factory=list)
    """Every acting call and its fate."""

    def start(self) -> None:
        """On the port it had before, when it had one."""
        self._http = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fate(self, method: str) -> Fate:
        if not method.startswith(("countersign_post", "countersign_register", "countersign_draft")):
            return Fate.ANSWERED
        if self.fates:
            fate = self.fates.popleft()
        elif self.one_in and not self.chance.randrange(self.one_in):
            fate = self.chance.choice([Fate.ANSWER_LOST, Fate.REQUEST_LOST])
        else:
            fate = Fate.ANSWERED
        self.told.append((method, fate))
        return fate

    def answer(self, service: str, method: str, args: list[Any]) -> Any:
        if service == "common":
            if method == "version":
                return {"server_version": "14.0", "server_version_info": [14, 0, 0, "final", 0, ""]}
            _, login, key = args[:3]
            return USER[login] if self.keys.get(login) == key else False
        _, user, key, model, called, positional, named = args
        login = next((name for name, number in USER.items() if number == user), "")
        if self.keys.get(login) != key:
            raise Fault("odoo.exceptions.AccessDenied", "Access Denied")
        return self.records.call(user, model, called, list(positional), dict(named))


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked = body["params"]
            called = asked["args"][4] if asked["service"] == "object" else asked["method"]
            fate = server.fate(called)
            if fate is Fate.REQUEST_LOST:
                return self._cut()
            told: dict[str, Any] = {"jsonrpc": "2.0", "id": body.get("id")}
            try:
                if fate is Fate.UNDONE:
                    raise Fault("psycopg2.errors.SerializationFailure", "could not serialize access")
                told["result"] = server.answer(asked["service"], asked["method"], asked["args"])
            except Fault as fault:
                told["error"] = {
                    "code": 200, "message": "Odoo Server Error",
                    "data": {"name": fault.name, "message": fault.message, "arguments": [], "debug": ""},
                }  # fmt: skip
            if fate is Fate.ANSWER_LOST:
                return self._cut()
            content = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return None

        def _cut(self) -> None:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            return

    return Handler


@contextmanager
def running(**options: Any) -> Iterator[Server]:
    """A server for one block."""
    server = Server(**options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


if __name__ == "__main__":
    with running(port=18069) as shown:
        print(shown.url, flush=True)
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
