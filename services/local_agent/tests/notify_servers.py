"""ntfy and Telegram on loopback, as their documentation has them, with faults put in front of an answer."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from demo.loopback import JsonHandler, Loopback


@dataclass
class Told(Loopback):
    """`texts` is what its reader sees; `faults` come first: a status with headers and body, or None to cut."""

    secret: str = "s3cret-topic-5512"
    texts: list[str] = field(default_factory=list)
    faults: list[tuple[int, dict[str, str], Any] | None] = field(default_factory=list)
    asked: int = 0
    hold: threading.Event | None = None
    """While it is not set, no call is answered."""

    def serve(self, call: JsonHandler) -> None:
        content = json.loads(call.content())
        self.asked += 1
        if self.hold is not None:
            self.hold.wait(20)
        if self.faults:
            fault = self.faults.pop(0)
            if fault is None:
                self.take(call, content)
                call.cut()
            else:
                call.send(fault[2], fault[0], fault[1])
            return
        status, body = self.take(call, content)
        call.send(body, status)

    def take(self, call: JsonHandler, content: dict[str, Any]) -> tuple[int, Any]:
        raise NotImplementedError


class Ntfy(Told):
    """POST / with the topic in the body; `token` when it wants one."""

    token = ""

    def take(self, call: JsonHandler, content: dict[str, Any]) -> tuple[int, Any]:
        if self.token and call.headers.get("Authorization") != f"Bearer {self.token}":
            return 403, {"code": 40301, "http": 403, "error": "forbidden"}
        if call.path != "/" or content.get("topic") != self.secret:
            return 400, {"code": 40009, "http": 400, "error": "invalid topic"}
        self.texts.append(f"{content['title']}: {content['message']}")
        return 200, {"id": "x", "event": "message", "topic": content["topic"], "message": content["message"]}


class Telegram(Told):
    """POST /botTOKEN/sendMessage."""

    chat = "-100200300"

    def take(self, call: JsonHandler, content: dict[str, Any]) -> tuple[int, Any]:
        found = re.fullmatch(r"/bot([^/]+)/(\w+)", call.path)
        if found is None or found[1] != self.secret:
            return 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}
        if found[2] != "sendMessage" or content.get("chat_id") != self.chat:
            return 400, {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}
        self.texts.append(str(content["text"]))
        return 200, {"ok": True, "result": {"message_id": len(self.texts)}}
