"""Where WhatsApp's interface for businesses delivers what came in: HTTP on loopback, behind the owner's own tunnel.

Meta signs each delivery with the app's secret and repeats what is not answered by 200. What is not signed is nobody's.
Source: developers.facebook.com, Graph API webhooks (verification, X-Hub-Signature-256) and Cloud API (messages).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local_agent.chats.linked import message_of
from local_agent.chats.phone import Message
from local_agent.networks.network import NotPublished
from local_agent.networks.times import spelled
from local_agent.webhook_keys import Keys

LARGEST = 3 * 1024 * 1024
"""Bytes of a delivery, as documented."""

Heard = Callable[[Message], bool]
"""Whether the message is in good hands; False: it should be delivered again."""


def messages_in(body: bytes, phone_id: str) -> Iterator[Message]:
    """The texts to this number of ours; what has another form is left out. Raises ValueError for what is no JSON."""
    for value in _values(json.loads(body)):
        if _of(_of(value, "metadata", {}), "phone_number_id", "") != phone_id:
            continue
        names = {_of(one, "wa_id", ""): _of(_of(one, "profile", {}), "name", "") for one in _of(value, "contacts", [])}
        for one in _of(value, "messages", []):
            sender, at = str(_of(one, "from", "")), str(_of(one, "timestamp", ""))
            if not (at.isascii() and at.isdigit() and len(at) <= 11):
                continue
            found = message_of(
                id_=str(_of(one, "id", "")), chat=sender, sender=sender, name=str(names.get(sender, "")),
                text=str(_of(_of(one, "text", {}), "body", "")), at=spelled(datetime.fromtimestamp(int(at), UTC)),
            )  # fmt: skip
            if found is not None:
                yield found


class Webhook:
    """Listens on loopback until it is closed. `heard` is given each signed message."""

    def __init__(self, port: int, keys: Keys, phone_id: str, heard: Heard) -> None:
        """Raises NotPublished when the port is taken. `port` 0: any that is free."""

        class Deliveries(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                answer = keys.challenge(parse_qs(urlsplit(self.path).query))
                self._say(403 if answer is None else 200, answer or "")

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                if not (length.isascii() and length.isdigit() and int(length) <= LARGEST):
                    return self._say(413)
                body = self.rfile.read(int(length))
                if not keys.signed(body, self.headers.get("X-Hub-Signature-256", "")):
                    return self._say(403)
                try:
                    kept = [heard(message) for message in messages_in(body, phone_id)]
                except (ValueError, RecursionError):
                    return self._say(400)
                except OSError:
                    return self._say(503)
                return self._say(200 if all(kept) else 503)

            def _say(self, status: int, text: str = "") -> None:
                content = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(content)
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
                """The query holds the token."""

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Deliveries)
        except OSError as error:
            raise NotPublished(f"the webhook cannot listen on 127.0.0.1:{port}: {error.strerror}") from None
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="webhook", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


def _values(told: Any) -> Iterator[Any]:
    for entry in _of(told, "entry", []):
        for change in _of(entry, "changes", []):
            if _of(change, "field", "") == "messages":
                yield _of(change, "value", {})


def _of(found: Any, name: str, otherwise: Any) -> Any:
    """A member that has the wanted form, else what stands for none."""
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, type(otherwise)) else otherwise
