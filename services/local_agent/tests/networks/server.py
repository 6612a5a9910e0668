"""What the networks' servers in the tests share: loopback HTTP that counts what it did, and loses answers when told."""

from __future__ import annotations

import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class Fate(Enum):
    """What becomes of one call that shows something to the world."""

    ANSWERED = "answered"
    ANSWER_LOST = "done, and the answer lost"
    REQUEST_LOST = "lost on the way"
    LIMITED = "too many calls"
    BROKEN = "done, and an error told"


@dataclass(frozen=True)
class Asked:
    """One request."""

    verb: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    line: str = ""
    """Path and query as they came over the wire."""

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.raw.decode("utf-8"), keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """A status with JSON, and headers of its own."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Outside:
    """A network as a program sees it. `effects` is what the world was shown, one entry for each post."""

    fates: deque[Fate] = field(default_factory=deque)
    one_in: int = 0
    chance: Random = field(default_factory=lambda: Random(7))
    effects: list[dict[str, Any]] = field(default_factory=list)
    told: list[Fate] = field(default_factory=list)
    """The fate of each call that would show something."""
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    token = "a-token-for-one-test"

    def acts(self, asked: Asked) -> bool:
        """Whether this call would show something to the world."""
        raise NotImplementedError

    def answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def limited(self) -> Answer:
        """How it says that there were too many calls."""
        return Answer(429, {"error": "Too Many Requests"})

    def broken(self) -> Answer:
        return Answer(500, {"error": "Internal Server Error"})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

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

    def __enter__(self) -> Outside:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def fate(self, asked: Asked) -> Fate:
        if not self.acts(asked):
            return Fate.ANSWERED
        if self.fates:
            fate = self.fates.popleft()
        elif self.one_in and not self.chance.randrange(self.one_in):
            fate = self.chance.choice([Fate.ANSWER_LOST, Fate.REQUEST_LOST, Fate.BROKEN])
        else:
            fate = Fate.ANSWERED
        self.told.append(fate)
        return fate

    def time(self) -> str:
        """Now, as most networks spell it."""
        return self.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def has_token(self, asked: Asked) -> bool:
        return asked.headers.get("authorization") == f"Bearer {self.token}"

    def shown(self) -> list[str]:
        """The texts that the world was shown, in order."""
        return [str(effect["text"]) for effect in self.effects]


def _handler(server: Outside) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one write: in two, the second waits 40 ms for the first to be acknowledged

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def do_PUT(self) -> None:
            self._serve()

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, unquote(parts.path), dict(parse_qsl(parts.query)), headers, raw, self.path)
            server.asked.append(asked)
            fate = server.fate(asked)
            if fate is Fate.REQUEST_LOST:
                return self._cut()
            answer = server.limited() if fate is Fate.LIMITED else server.answer(asked)
            if fate is Fate.ANSWER_LOST:
                return self._cut()
            return self._send(server.broken() if fate is Fate.BROKEN else answer)

        def _send(self, answer: Answer) -> None:
            content = b"" if answer.body is None else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _cut(self) -> None:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            return

    return Handler
