"""What servers of social networks share here: loopback HTTP that counts what it did, and loses answers when told."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from random import Random
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from demo.loopback import JsonHandler, Loopback


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
class Outside(Loopback):
    """A network as a program sees it. `effects` is what the world was shown, one entry for each post."""

    fates: deque[Fate] = field(default_factory=deque)
    one_in: int = 0
    chance: Random = field(default_factory=lambda: Random(7))  # noqa: S311 - faults that are the same each time
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

    def serve(self, call: JsonHandler) -> None:
        parts = urlsplit(call.path)
        headers = {name.lower(): value for name, value in call.headers.items()}
        query = dict(parse_qsl(parts.query))
        asked = Asked(call.command, unquote(parts.path), query, headers, call.content(), call.path)
        self.asked.append(asked)
        fate = self.fate(asked)
        if fate is Fate.REQUEST_LOST:
            return call.cut()
        answer = self.limited() if fate is Fate.LIMITED else self.answer(asked)
        if fate is Fate.ANSWER_LOST:
            return call.cut()
        answer = self.broken() if fate is Fate.BROKEN else answer
        return call.send(answer.body, answer.status, answer.headers)
