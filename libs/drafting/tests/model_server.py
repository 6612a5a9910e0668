"""A loopback server that speaks the two model APIs as documented, counts tokens, and fails as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], str]


@dataclass
class Reply:
    """What the server does with one request: say this text, fail with this status, or never answer."""

    text: str = ""
    status: int = 200
    refusal: bool = False
    cut: bool = False
    silent: bool = False
    raw: bytes | None = None
    usage: tuple[int, int] = (900, 50)
    """Tokens of the prompt and of the answer."""
    cached: int = 0
    written: int = 0
    """Of the prompt's tokens: from the provider's cache, and put into it."""


@dataclass
class ModelServer:
    """Gives its replies in order and repeats the last one; keeps what it was asked."""

    url: str = ""
    replies: list[Reply | Answer] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def will(self, *replies: Reply | Answer | dict[str, Any]) -> None:
        self.replies = [Reply(json.dumps(r)) if isinstance(r, dict) else r for r in replies]

    def next(self, request: dict[str, Any], headers: dict[str, str]) -> Reply:
        self.asked.append(request)
        self.headers.append(headers)
        reply = self.replies[min(len(self.asked), len(self.replies)) - 1]
        return reply if isinstance(reply, Reply) else Reply(reply(request))


def _anthropic(reply: Reply) -> dict[str, Any]:
    if reply.status >= 400:
        kind = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
        return {"type": "error", "error": {"type": kind.get(reply.status, "api_error"), "message": "no"}}
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [] if reply.refusal else [{"type": "text", "text": reply.text}],
        "stop_reason": "refusal" if reply.refusal else "max_tokens" if reply.cut else "end_turn",
        "stop_sequence": None, "usage": {
            "input_tokens": reply.usage[0] - reply.cached - reply.written, "output_tokens": reply.usage[1],
            "cache_read_input_tokens": reply.cached, "cache_creation_input_tokens": reply.written,
        },
    }  # fmt: skip


def _openai(reply: Reply) -> dict[str, Any]:
    if reply.status >= 400:
        return {"error": {"message": "no", "type": "requests", "param": None, "code": None}}
    message = {"role": "assistant", "content": None if reply.refusal else reply.text}
    message["refusal"] = "I cannot help with that." if reply.refusal else None
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "length" if reply.cut else "stop"}],
        "usage": {
            "prompt_tokens": reply.usage[0], "completion_tokens": reply.usage[1], "total_tokens": sum(reply.usage),
            "prompt_tokens_details": {"cached_tokens": reply.cached},
        },
    }  # fmt: skip


SPEAKS = {"/v1/messages": _anthropic, "/v1/chat/completions": _openai}


@contextmanager
def served() -> Iterator[ModelServer]:
    """Until the block ends."""
    said = ModelServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = said.next(request, {name.lower(): value for name, value in self.headers.items()})
            if reply.silent:
                said.released.wait(30)
                self.close_connection = True
                return
            speak = SPEAKS.get(self.path.split("?")[0])
            content = reply.raw if reply.raw is not None else json.dumps(speak(reply) if speak else {}).encode()
            self.send_response(reply.status if speak else 404)
            self.send_header("Content-Type", "application/json" if reply.raw is None else "text/html")
            if reply.status == 429:
                self.send_header("Retry-After", "7")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the base class names it so
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        said.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield said
        finally:
            said.released.set()
            server.shutdown()
            thread.join()
