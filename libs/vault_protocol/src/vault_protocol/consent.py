"""An owner's consent at an OAuth server, given in a browser on this machine: RFC 8252 with PKCE (RFC 7636).

A page on loopback takes one answer. Nothing here is a credential for long: the code is good once, and only with the
verifier, which never leaves this process but to the token's address.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from .errors import VaultError

GOOGLE = "https://accounts.google.com/o/oauth2/v2/auth"
PATIENCE = 300.0
"""Seconds that the owner has for the browser."""
DONE = "You can close this page and go back to the terminal."


@dataclass(frozen=True)
class Application:
    """A `Desktop app` of the owner's own project at Google."""

    client_id: str
    client_secret: str = field(repr=False)

    @classmethod
    def read(cls, file: Path) -> Application:
        """The JSON that Google's console gives for it. Raises VaultError."""
        try:
            said = json.loads(file.read_text(encoding="utf-8"))["installed"]
            return cls(str(said["client_id"]), str(said["client_secret"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise VaultError(
                f"{file}: no client of a Desktop app ({type(error).__name__}); download its JSON from "
                "console.cloud.google.com under Credentials"
            ) from None


@dataclass(frozen=True)
class Consent:
    """What the owner's browser brought back: a code that is exchanged once, by `form`."""

    application: Application
    code: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect_uri: str

    def form(self) -> dict[str, str]:
        """The fields of the request for tokens."""
        return {
            "client_id": self.application.client_id, "client_secret": self.application.client_secret,
            "code": self.code, "code_verifier": self.verifier, "redirect_uri": self.redirect_uri,
            "grant_type": "authorization_code",
        }  # fmt: skip


def ask(
    application: Application, scope: str, show: Callable[[str], None], *, address: str = GOOGLE, hint: str = "",
    patience: float = PATIENCE, port: int = 0,
) -> Consent:  # fmt: skip
    """`show` is given the address that the owner opens; the answer comes to `port` of this machine, or to any that is
    free. `hint`: the account to suggest. Raises VaultError when the owner said no, or nothing in time."""
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(24)
    with _page(port) as page:
        back = f"http://127.0.0.1:{page.server_port}"
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": application.client_id, "redirect_uri": back, "response_type": "code", "scope": scope,
            "state": state, "code_challenge": challenge, "code_challenge_method": "S256", "access_type": "offline",
            "prompt": "consent", "include_granted_scopes": "false", "login_hint": hint,
        }  # fmt: skip
        show(f"{address}?{urlencode(asked)}")
        return Consent(application, page.code(state, patience), verifier, back)


def _page(port: int) -> _Page:
    try:
        return _Page(port)
    except OSError as error:
        raise VaultError(f"cannot listen on 127.0.0.1:{port}: {error.strerror}") from None


class _Page(HTTPServer):
    """Takes one answer from the browser, on loopback."""

    def __init__(self, port: int) -> None:
        self.answers: list[dict[str, str]] = []
        self.timed_out = False
        super().__init__(("127.0.0.1", port), _Answer)

    def code(self, state: str, patience: float) -> str:
        """Raises VaultError when the owner said no, or nothing in time."""
        self.timeout = patience
        while not self.answers and not self.timed_out:
            self.handle_request()
        if not self.answers:
            raise VaultError("no answer came from the browser; run it again")
        said = self.answers[0]
        if not secrets.compare_digest(said.get("state", "").encode(), state.encode()):
            raise VaultError("the answer of the browser belongs to another login; run it again")
        if "code" not in said:
            raise VaultError(f"nothing was granted ({said.get('error', 'no reason')[:60]})")
        return said["code"]

    def handle_timeout(self) -> None:
        self.timed_out = True


class _Answer(BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self) -> None:
        assert isinstance(self.server, _Page)
        said = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if "state" in said:
            self.server.answers.append(said)
        content = (DONE if "state" in said else "Not here.").encode()
        self.send_response(200 if "state" in said else 404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """The query holds the code."""
