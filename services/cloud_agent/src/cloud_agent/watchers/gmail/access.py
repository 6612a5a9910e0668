"""The access token of an hour that the grant gives, held to reading each time it is renewed."""

from __future__ import annotations

import time
from collections.abc import Callable

from cloud_agent.watchers.faults import LoginRefused, Unreachable
from cloud_agent.watchers.gmail.asking import Expired, Line, NotThere, TooLarge
from cloud_agent.watchers.gmail.grant import Grant, hold_to_reading
from cloud_agent.watchers.mailbox_settings import GmailSettings

EARLY = 60.0
"""Seconds before its end at which a token is not used any more."""


class Access:
    """Kept in memory alone."""

    def __init__(self, settings: GmailSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._token, self._until = "", 0.0

    def token(self) -> str:
        """One that should be good now. Raises GrantTooWide, LoginRefused, Unreachable."""
        if not self._token or self._clock() >= self._until:
            self._token, self._until = self._renewed()
        return self._token

    def void(self) -> None:
        """It was not taken: the next is asked for."""
        self._token = ""

    def _renewed(self) -> tuple[str, float]:
        settings, asked_at = self._settings, self._clock()
        grant = Grant.read(settings.grant_file, settings.name)
        form = {
            "client_id": grant.client_id,
            "client_secret": grant.client_secret,
            "refresh_token": grant.refresh_token,
            "grant_type": "refresh_token",
        }
        try:
            with login_line(settings) as line:
                said = line.post("/token", form)
                token, seconds, scope = said.get("access_token"), said.get("expires_in"), said.get("scope")
                if isinstance(token, str) and scope is None:
                    scope = line.get("/tokeninfo", {"access_token": token}).get("scope")
        except (NotThere, Expired, TooLarge) as error:
            raise LoginRefused(
                f"mailbox {settings.name}: {settings.login_url} refuses ({type(error).__name__})"
            ) from None
        if not (isinstance(token, str) and token.isascii() and token.isprintable() and isinstance(scope, str)):
            raise Unreachable(f"mailbox {settings.name}: {settings.login_url} answers without a token or its scope")
        hold_to_reading(scope, settings.name)
        lasting = float(seconds) if isinstance(seconds, int) and 0 < seconds <= 86400 else 0.0
        return token, asked_at + max(0.0, lasting - EARLY)


def login_line(settings: GmailSettings) -> Line:
    """To the server that gives tokens."""
    return Line(
        settings.login_url, way_out=settings.way_out, timeout=settings.timeout_seconds, mailbox=settings.name
    )  # fmt: skip
