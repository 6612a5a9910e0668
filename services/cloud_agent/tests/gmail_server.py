"""Gmail and Google's tokens on loopback, as their reference documents them: pages, history, scopes, faults."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

READ_ONLY = "https://www.googleapis.com/auth/gmail.readonly"
MODIFY = "https://www.googleapis.com/auth/gmail.modify"
SEND = "https://www.googleapis.com/auth/gmail.send"
CLIENT, SECRET = "app-1.apps.googleusercontent.com", "GOCSPX-of-the-app"
Answer = tuple[int, dict[str, Any] | bytes, dict[str, str]]


@dataclass(frozen=True)
class Stored:
    id: str
    raw: bytes
    at: datetime
    labels: tuple[str, ...]


@dataclass
class Google:
    """The state of the account and of the grants; what tests change to break it."""

    messages: list[Stored] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    oldest: int = 1000
    """History before it is forgotten."""
    newest: int = 1000
    page: int = 2
    grants: set[str] = field(default_factory=lambda: {"1//refresh"})
    scope: str | None = READ_ONLY
    lasting: int = 3599
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Method and path of each question, in order."""
    faults: list[tuple[str, Answer]] = field(default_factory=list)
    """Given once each, in order, to the first question whose path contains the word."""
    cut: list[str] = field(default_factory=list)
    """Answers to paths with these words break off half way, once each."""
    tokens: set[str] = field(default_factory=set)
    wanted: dict[str, str] = field(default_factory=dict)
    """What the consent page was last asked for."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def deliver(self, raw: bytes, *labels: str, at: datetime | None = None) -> str:
        """A new message, which the history has too."""
        with self.lock:
            self.newest += 7
            name = f"{self.newest:016x}"
            stored = Stored(name, raw, at or datetime(2026, 11, 23, 8, tzinfo=UTC), labels or ("INBOX", "UNREAD"))
            self.messages.append(stored)
            self.note("messagesAdded", stored, {})
            return name

    def label(self, name: str, label: str) -> None:
        """As when a message is moved back to the inbox."""
        with self.lock:
            self.newest += 3
            at = next(i for i, one in enumerate(self.messages) if one.id == name)
            old = self.messages[at]
            self.messages[at] = Stored(old.id, old.raw, old.at, (*old.labels, label))
            self.note("labelsAdded", self.messages[at], {"labelIds": [label]})

    def note(self, what: str, stored: Stored, more: dict[str, Any]) -> None:
        about = {"id": stored.id, "threadId": stored.id}
        added = {"message": {**about, "labelIds": list(stored.labels)}, **more}
        self.entries.append({"id": str(self.newest), "messages": [about], what: [added]})

    def forget(self) -> None:
        """The history of the last week is all that stays; here, nothing."""
        self.oldest, self.entries = self.newest + 1, []
        self.newest += 1

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        with self.lock:
            self.asked.append(f"{method} {parts.path}")
            for at, (word, fault) in enumerate(self.faults):
                if word in target:
                    del self.faults[at]
                    return fault
            if parts.path == "/token":
                return self.token({name: values[0] for name, values in parse_qs(body.decode()).items()})
            if parts.path == "/tokeninfo":
                return 200, {"scope": READ_ONLY, "expires_in": "3000"}, {}
            if parts.path == "/consent":
                return self.consent(query)
            if headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
                return error(401, "authError", "UNAUTHENTICATED")
            return self.mail(parts.path.removeprefix("/gmail/v1/users/me"), query)

    def token(self, form: dict[str, str]) -> Answer:
        if (form["client_id"], form["client_secret"]) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client", "error_description": "Unauthorized"}, {}
        said: dict[str, Any] = {"expires_in": self.lasting, "token_type": "Bearer"}
        if form["grant_type"] == "authorization_code":
            challenge, back = self.codes.pop(form["code"], ("", ""))
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge or back != form["redirect_uri"]:
                return 400, {"error": "invalid_grant"}, {}
            said["refresh_token"] = "1//refresh"
        elif form["refresh_token"] not in self.grants:
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}, {}
        token = f"ya29.{len(self.asked)}"
        self.tokens.add(token)
        if self.scope is not None:
            said["scope"] = self.scope
        return 200, {**said, "access_token": token}, {}

    def consent(self, query: dict[str, list[str]]) -> Answer:
        """The browser of an owner who says yes."""
        self.wanted = {name: values[0] for name, values in query.items()}
        self.codes["4/code"] = (self.wanted["code_challenge"], self.wanted["redirect_uri"])
        back = urlencode({"code": "4/code", "state": self.wanted["state"], "scope": self.scope or ""})
        return 302, {}, {"Location": f"{self.wanted['redirect_uri']}/?{back}"}

    def mail(self, path: str, query: dict[str, list[str]]) -> Answer:
        if path == "/profile":
            return 200, {"emailAddress": "owner@home.example", "historyId": str(self.newest)}, {}
        if path == "/history":
            start = int(query["startHistoryId"][0])
            if start < self.oldest:
                return error(404, "notFound", "NOT_FOUND")
            kinds = [f"{kind}s".replace("messageAddeds", "messagesAdded").replace("labelAddeds", "labelsAdded")
                     for kind in query["historyTypes"]]  # fmt: skip
            found = [e for e in self.entries if int(e["id"]) > start and any(kind in e for kind in kinds)]
            return 200, {**self.paged("history", found, query), "historyId": str(self.newest)}, {}
        if path == "/messages":
            label = query["labelIds"][0]
            after = int(query["q"][0].removeprefix("after:")) if "q" in query else 0
            there = [m for m in reversed(self.messages) if label in m.labels and m.at.timestamp() > after]
            return 200, self.paged("messages", [{"id": m.id, "threadId": m.id} for m in there], query), {}
        return self.one(path.removeprefix("/messages/"), query["format"][0])

    def paged(self, what: str, items: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
        start = int(query.get("pageToken", ["0"])[0])
        page: dict[str, Any] = {}
        if items[start : start + self.page]:
            page[what] = items[start : start + self.page]
        if start + self.page < len(items):
            page["nextPageToken"] = str(start + self.page)
        return page

    def one(self, name: str, form: str) -> Answer:
        stored = next((m for m in self.messages if m.id == name), None)
        if stored is None:
            return error(404, "notFound", "NOT_FOUND")
        said: dict[str, Any] = {
            "id": name, "threadId": name, "labelIds": list(stored.labels), "sizeEstimate": len(stored.raw),
            "internalDate": str(int(stored.at.timestamp() * 1000)), "historyId": str(self.newest),
        }  # fmt: skip
        if form == "raw":
            said["raw"] = base64.urlsafe_b64encode(stored.raw).decode()
        else:
            lines = stored.raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")
            pairs = [line.split(": ", 1) for line in lines]
            said["payload"] = {"headers": [{"name": key, "value": value} for key, value in pairs]}
        return 200, said, {}


def error(status: int, reason: str, word: str, **headers: str) -> Answer:
    """As Google's servers put it."""
    said = {"code": status, "message": "no", "status": word, "errors": [{"reason": reason, "domain": "global"}]}
    return status, {"error": said}, {name.replace("_", "-"): value for name, value in headers.items()}


@contextmanager
def gmail() -> Iterator[tuple[Google, int]]:
    """The servers, both on one port of loopback."""
    google = Google()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            self.reply(b"")

        def do_POST(self) -> None:
            self.reply(self.rfile.read(int(self.headers["Content-Length"])))

        def reply(self, body: bytes) -> None:
            status, said, headers = google.answer(self.command, self.path, self.headers, body)
            content = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json; charset=UTF-8", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            word = next((word for word in google.cut if word in self.path), None)
            if word is not None:
                google.cut.remove(word)
                content, self.close_connection = content[: len(content) // 2], True
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """The paths are in `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield google, server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
