"""Odoo's `/jsonrpc` over the records, on loopback, with faults: answers lost, requests lost, calls undone."""

from __future__ import annotations

import json
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Any

from demo.loopback import JsonHandler, Loopback
from demo.odoo.records import KEY, USER, Fault, Records


class Fate(Enum):
    """What becomes of one call of an acting method."""

    ANSWERED = "answered"
    ANSWER_LOST = "done, and the answer lost"
    REQUEST_LOST = "lost on the way"
    UNDONE = "undone because of a concurrent change"


@dataclass
class Server(Loopback):
    """The records behind a port. `fates` are used up call by call; after them `one_in` calls loses its answer."""

    records: Records = field(default_factory=Records)
    fates: deque[Fate] = field(default_factory=deque)
    one_in: int = 0
    chance: Random = field(default_factory=lambda: Random(7))  # noqa: S311 - faults by a seed
    keys: dict[str, str] = field(default_factory=lambda: dict(KEY))
    port: int = 0
    told: list[tuple[str, Fate]] = field(default_factory=list)
    """Every acting call and its fate."""

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

    def serve(self, call: JsonHandler) -> None:
        body = json.loads(call.content())
        asked = body["params"]
        called = asked["args"][4] if asked["service"] == "object" else asked["method"]
        fate = self.fate(called)
        if fate is Fate.REQUEST_LOST:
            return call.cut()
        told: dict[str, Any] = {"jsonrpc": "2.0", "id": body.get("id")}
        try:
            if fate is Fate.UNDONE:
                raise Fault("psycopg2.errors.SerializationFailure", "could not serialize access")
            told["result"] = self.answer(asked["service"], asked["method"], asked["args"])
        except Fault as fault:
            told["error"] = {
                "code": 200, "message": "Odoo Server Error",
                "data": {"name": fault.name, "message": fault.message, "arguments": [], "debug": ""},
            }  # fmt: skip
        return call.cut() if fate is Fate.ANSWER_LOST else call.send(told)


if __name__ == "__main__":
    with Server(port=18069) as shown:
        print(shown.url, flush=True)
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
