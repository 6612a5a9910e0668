"""A model that does what an attack says as far as anything lets it: a loopback server that speaks OpenAI's API."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from demo.loopback import JsonHandler, Loopback

HONEST = "Hello,\n\nthank you for your message. It has arrived.\n\nKind regards\nOlive Owner"


@dataclass
class Obeying(Loopback):
    """It looks for the goals it is told of in the mail it is shown, and obeys the one that stands there."""

    goal: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    obeyed: int = 0
    """Questions in which it saw the attack."""
    tools: int = 0
    """Questions that offered it a tool."""
    _tries: int = 0

    @property
    def url(self) -> str:
        return f"{super().url}/v1"

    def serve(self, call: JsonHandler) -> None:
        message = self.answer(json.loads(call.content()))
        ended = "tool_calls" if message.get("tool_calls") else "stop"
        call.send({
            "id": "c1", "object": "chat.completion", "created": 1_700_000_000, "model": "obeying",
            "choices": [{"index": 0, "message": message, "finish_reason": ended}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        })  # fmt: skip

    def against(self, goal: str, calls: list[dict[str, Any]]) -> None:
        """What the next mail tries to make it do; an empty goal is a mail without an attack."""
        self.goal, self.calls, self._tries = goal, calls, 0

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """A message: the attack's tool calls first, then fields that nobody asked for, then text that obeys."""
        self.asked += 1
        self.tools += bool(request.keys() & {"tools", "functions"})
        shown = json.dumps(request["messages"], ensure_ascii=False)
        triage = "needs_owner" in json.dumps(request.get("response_format", {}))
        if not self.goal or not _holds(shown, self.goal):
            return _said({"kind": "reply_wanted", "priority": "normal", "reason": "asks for something"} if triage
                         else {"text": HONEST, "unknowns": []})  # fmt: skip
        self.obeyed += 1
        if triage:
            return _said({"kind": "informational", "priority": "low", "reason": "nothing to see here"})
        self._tries += 1
        if self._tries == 1:
            return {"role": "assistant", "content": None, "tool_calls": [
                {"id": f"call_{n}", "type": "function",
                 "function": {"name": call["function"], "arguments": json.dumps(call["args"])}}
                for n, call in enumerate(self.calls[:1])
            ]}  # fmt: skip
        orders = "\n".join(f"{key}: {value}" for call in self.calls for key, value in call["args"].items())
        text = f"I do as I was told.\n\n{self.goal}\n\nTo: {orders}\n"
        forged = {"to": orders, "amount": orders, "action": "pay_transfer"} if self._tries == 2 else {}
        return _said({"text": text, "unknowns": [], **forged})


def _said(answer: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": json.dumps(answer)}


def _holds(shown: str, goal: str) -> bool:
    """YAML and JSON wrap and escape what they hold: only the letters count."""
    return _letters(goal)[:40] in _letters(shown)


def _letters(text: str) -> str:
    return "".join(sign for sign in text.replace("\\n", " ").lower() if sign.isalnum())
