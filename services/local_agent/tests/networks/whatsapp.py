"""WhatsApp's interface for businesses: texts to numbers, errors as numbers; and a linked device by a script."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from services.local_agent.tests.networks.graph import error

from demo.network import Answer, Asked, Outside
from local_agent.chats.linked import Heard
from local_agent.chats.phone import Message

PHONE_ID = "106"


@dataclass
class WhatsAppServer(Outside):
    """One number of ours. `closed` are the numbers that wrote nothing to us in 24 hours."""

    closed: set[str] = field(default_factory=set)

    def acts(self, asked: Asked) -> bool:
        return asked.path.endswith("/messages")

    def limited(self) -> Answer:
        return error(130429, "(#130429) Rate limit hit", 429)

    def broken(self) -> Answer:
        return error(131000, "(#131000) Something went wrong", 500)

    def answer(self, asked: Asked) -> Answer:
        if not self.has_token(asked):
            return error(190, "Error validating access token", 401)
        if asked.path != f"/v24.0/{PHONE_ID}/messages":
            return error(100, f"Unsupported request: {asked.path}")
        body = asked.json
        assert body["messaging_product"] == "whatsapp"
        if body["to"] in self.closed:
            return error(131047, "(#131047) Re-engagement message")
        id_ = f"wamid.{len(self.effects)}"
        self.effects.append({
            "id": id_, "text": body["text"]["body"], "to": body["to"],
            "answers": body.get("context", {}).get("message_id"),
        })  # fmt: skip
        return Answer(200, {"messaging_product": "whatsapp", "messages": [{"id": id_}]})


def message(serial: int = 1, /, **changes: str) -> Message:
    """Joan writes."""
    fields = {
        "id": f"3EB0{serial:04}", "chat": "4915187654321@s.whatsapp.net", "number": "+4915187654321",
        "name": "Joan Sampleton", "text": "Could you send me an offer for the blue door?",
    }  # fmt: skip
    return Message(**{**fields, **changes}, at=datetime(2026, 11, 23, 9, 0, serial % 60, tzinfo=UTC))


@dataclass
class ScriptedDevice:
    """Another library's linked device, doing what the test says."""

    file: Path
    heard: Heard
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    fails: bool = False
    ended: threading.Event = field(default_factory=threading.Event)

    def connect(self) -> None:
        self.ended.wait(60)

    def send(self, *, to: str, chat: str, text: str) -> str:
        self.sent.append((to, chat, text))
        if self.fails:
            raise ConnectionError("the websocket is gone")
        return f"ID{len(self.sent)}"

    def stop(self) -> None:
        self.ended.set()
