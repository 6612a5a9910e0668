"""The guided login: the owner grants reading in a browser on this machine, and the grant goes into a file.

Google's flow for installed programs: a page on loopback takes the answer, PKCE ties it to this run. Its flow for
devices without a browser gives no scope of Gmail's.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cloud_agent.watchers.faults import LoginRefused, Unreachable
from cloud_agent.watchers.gmail.access import login_line
from cloud_agent.watchers.gmail.account import ME
from cloud_agent.watchers.gmail.asking import Expired, Line, NotThere, TooLarge
from cloud_agent.watchers.gmail.grant import READ_ONLY, Grant, hold_to_reading
from cloud_agent.watchers.mailbox_settings import GmailSettings
from vault_protocol.errors import VaultError

CONSENT = "https://accounts.google.com/o/oauth2/v2/auth"
PATIENCE = 300.0
"""Seconds that the owner has for the browser."""
DONE = "You can close this page and go back to the terminal."


@dataclass(frozen=True)
class Application:
    """A `Desktop app` of the owner's own project at Google."""

    client_id: str
    client_secret: str

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


def log_in(
    settings: GmailSettings, application: Application, show: Callable[[str], None], consent: str = CONSENT,
    patience: float = PATIENCE, port: int = 0,
) -> str:  # fmt: skip
    """`show` is given the address that the owner opens; its answer comes to `port` of this machine, or to any that is
    free. Writes the grant, and returns the account it reads.

    Raises VaultError; GrantTooWide, with nothing written, when more than reading was granted.
    """
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(24)
    with _page(port) as page:
        back = f"http://127.0.0.1:{page.server_port}"
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": application.client_id, "redirect_uri": back, "response_type": "code", "scope": READ_ONLY,
            "state": state, "code_challenge": challenge, "code_challenge_method": "S256", "access_type": "offline",
            "prompt": "consent", "include_granted_scopes": "false", "login_hint": settings.address,
        }  # fmt: skip
        show(f"{consent}?{urlencode(asked)}")
        code = page.code(state, patience)
    try:
        with login_line(settings) as line:
            said = line.post(
                "/token",
                {
                    "client_id": application.client_id, "client_secret": application.client_secret, "code": code,
                    "code_verifier": verifier, "redirect_uri": back, "grant_type": "authorization_code",
                },
            )  # fmt: skip
        hold_to_reading(str(said.get("scope", "")), settings.name)
        grant = Grant(
            client_id=application.client_id, client_secret=application.client_secret,
            refresh_token=said.get("refresh_token", ""),
        )  # fmt: skip
        account = _whose(settings, str(said.get("access_token", "")))
    except (LoginRefused, Unreachable, NotThere, Expired, TooLarge, ValueError) as error:
        raise VaultError(f"Google gave no grant: {str(error) or type(error).__name__}") from None
    grant.write(settings.grant_file)
    return account


def _whose(settings: GmailSettings, token: str) -> str:
    with Line(
        settings.api_url, way_out=settings.way_out, timeout=settings.timeout_seconds, mailbox=settings.name
    ) as line:
        return str(line.get(f"{ME}/profile", {}, token=token).get("emailAddress", "an account without a name"))


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
