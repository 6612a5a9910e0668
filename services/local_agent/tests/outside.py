"""A provider on loopback for tests: what it does is a function of the request; what becomes of the answer is a fate."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from demo.loopback import JsonHandler, Loopback


class Fate(Enum):
    """What becomes of one call that acts."""

    ANSWERED = "answered"
    ANSWER_LOST = "done, and the answer lost"
    REQUEST_LOST = "lost on the way"
    TOO_MANY = "refused for now: too many requests"
    BROKEN = "not done, and an error of the server"


@dataclass(frozen=True)
class Call:
    """One request as the provider sees it. `body` is JSON, or the fields of a form."""

    verb: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    raw: bytes


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Provider(Loopback):
    """Subclasses say what they do (`reply`) and which calls act (`acts`); only those meet a fate.

    `fates` are used up call by call; after them one in `one_in` loses its answer, half of these the request, too.
    """

    fates: deque[Fate] = field(default_factory=deque)
    one_in: int = 0
    chance: Random = field(default_factory=lambda: Random(7))
    calls: list[tuple[str, str, Fate]] = field(default_factory=list)
    """Every acting call: verb, path, and its fate."""

    def reply(self, call: Call) -> Reply:
        raise NotImplementedError

    def acts(self, call: Call) -> bool:
        return call.verb != "GET"

    def __post_init__(self) -> None:
        self._one = threading.Lock()

    def serve(self, call: JsonHandler) -> None:
        raw, parts = call.content(), urlsplit(call.path)
        headers = {name.lower(): value for name, value in call.headers.items()}
        query = dict(parse_qsl(parts.query))
        _, reply = self.take(Call(call.command, parts.path, query, headers, _body(headers, raw), raw))
        if reply is None:
            return call.cut()
        return call.send(reply.body, reply.status, reply.headers)

    def take(self, call: Call) -> tuple[Fate, Reply | None]:
        """Its fate, and the answer if there is one to give."""
        with self._one:
            fate = self._fate(call)
            if fate is Fate.REQUEST_LOST:
                return fate, None
            if fate is Fate.TOO_MANY:
                return fate, Reply(429, {"message": "slow down"}, {"Retry-After": "30"})
            if fate is Fate.BROKEN:
                return fate, Reply(503, {"message": "try later"})
            reply = self.reply(call)
            return fate, None if fate is Fate.ANSWER_LOST else reply

    def _fate(self, call: Call) -> Fate:
        if not self.acts(call):
            return Fate.ANSWERED
        if self.fates:
            fate = self.fates.popleft()
        elif self.one_in and not self.chance.randrange(self.one_in):
            fate = self.chance.choice([Fate.ANSWER_LOST, Fate.REQUEST_LOST])
        else:
            fate = Fate.ANSWERED
        self.calls.append((call.verb, call.path, fate))
        return fate


def _body(headers: Mapping[str, str], raw: bytes) -> Any:
    kind = headers.get("content-type", "")
    if raw and kind.startswith("application/json"):
        return json.loads(raw)
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(raw.decode()))
    return None
