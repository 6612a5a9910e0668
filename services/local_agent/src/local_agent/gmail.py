"""The owner's mailbox through Gmail's API: send, look among what was sent, read an original, list the inbox.

Source: developers.google.com, Gmail API v1 (users.messages, users.labels) and OAuth 2.0 for desktop apps.
"""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from local_agent.http import Answer, Http, NoAnswer, NotSent
from local_agent.mail_account import AuthFailed, MailAccount, MailboxUnreachable
from local_agent.submission import Accepted, Outcome, RefusedForGood, RefusedForNow, Unknown, Unreachable
from vault_protocol.errors import VaultError

MESSAGES = "/gmail/v1/users/me/messages"
LARGE = 4 * 1024 * 1024
"""Bytes of a message that goes up as it is, and not inside JSON."""
MOST_LISTED = 5_000
"""Messages of the inbox that are looked at; the newest come first."""
SPARE = 60.0
"""Seconds before its end from which an access token is not used any more."""

_LATER = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded", "quotaExceeded"})


class NotThere(MailboxUnreachable):
    """Gmail has no such message."""


class Client(BaseModel):
    """What the secret `gmail.NAME` holds: the JSON of an authorized user, as Google's own tools write it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    client_id: str
    client_secret: str = ""
    refresh_token: str


@dataclass(frozen=True)
class Found:
    """A message in the mailbox."""

    id: str
    labels: tuple[str, ...]
    raw: bytes


@dataclass(frozen=True)
class Listed:
    """A message of the inbox: Gmail's id, its Message-ID as it stands, and when Gmail took it."""

    id: str
    message_id: str
    received: datetime


class Gmail:
    """One account. `secret` gives the JSON of `Client`; it raises VaultError."""

    def __init__(self, account: MailAccount, secret: Callable[[], str]) -> None:
        self._account, self._secret = account, secret
        self._token, self._until = "", 0.0
        self._listed: dict[str, Listed] = {}

    def send(self, raw: bytes) -> Outcome:
        """To everybody in To, Cc and Bcc, or to nobody. Raises AuthFailed."""
        try:
            bearer = self._bearer()
        except MailboxUnreachable as error:
            return Unreachable(str(error))
        try:
            if len(raw) > LARGE:
                answer = self._http().ask(
                    "POST", f"/upload{MESSAGES}/send", query={"uploadType": "media"}, content=raw,
                    headers={**bearer, "Content-Type": "message/rfc822"},
                )  # fmt: skip
            else:
                body = {"raw": urlsafe_b64encode(raw).decode("ascii")}
                answer = self._http().ask("POST", f"{MESSAGES}/send", body=body, headers=bearer)
        except NotSent as error:
            return Unreachable(str(error))
        except NoAnswer as error:
            return Unknown(str(error))
        return self._said(answer)

    def find(self, message_id: str, *, sent: bool = False) -> tuple[Found, ...]:
        """Every message with this Message-ID, only those that were sent if so wished.

        Raises AuthFailed, MailboxUnreachable; ValueError for what cannot be searched for.
        """
        wanted = message_id.strip("<>")
        if not wanted.isascii() or not wanted.isprintable() or not wanted or any(c in wanted for c in ' "()'):
            raise ValueError("not a Message-ID")
        query: dict[str, str | int] = {"q": f"rfc822msgid:{wanted}", "maxResults": 20, "includeSpamTrash": "false"}
        if sent:
            query["labelIds"] = "SENT"
        listed = self._get(MESSAGES, query)
        return tuple(self._message(str(row["id"])) for row in _rows(listed))

    def inbox(self, since: datetime) -> tuple[Listed, ...]:
        """What came into the inbox since then and is still there, the oldest first. Raises AuthFailed,
        MailboxUnreachable. Each message is asked about once."""
        ids: list[str] = []
        query: dict[str, str | int] = {
            "q": f"after:{int(since.timestamp()) - 1}",
            "labelIds": "INBOX",
            "maxResults": 500,
        }
        while True:
            page = self._get(MESSAGES, query)
            ids += [str(row["id"]) for row in _rows(page)]
            token = page.get("nextPageToken") if isinstance(page, dict) else None
            if not token or len(ids) >= MOST_LISTED:
                break
            query["pageToken"] = str(token)
        known, self._listed = self._listed, {}
        for id_ in ids:
            with suppress(NotThere):  # it was taken away meanwhile
                self._listed[id_] = known.get(id_) or self._about(id_)
        found = (one for one in self._listed.values() if one.received >= since)
        return tuple(sorted(found, key=lambda one: (one.received, one.id)))

    def raw(self, id_: str) -> bytes | None:
        """The message as Gmail stores it; None when it is gone. Raises AuthFailed, MailboxUnreachable."""
        try:
            return self._message(id_).raw
        except NotThere:
            return None

    def label(self, id_: str, name: str) -> None:
        """Give a message a label that exists. Raises AuthFailed, MailboxUnreachable."""
        known = self._get("/gmail/v1/users/me/labels", {})
        found = next((one["id"] for one in known.get("labels", []) if one.get("name") == name), None)
        if found is not None:
            self._ask("POST", f"{MESSAGES}/{id_}/modify", body={"addLabelIds": [found]})

    def _message(self, id_: str) -> Found:
        told = self._get(f"{MESSAGES}/{id_}", {"format": "raw"})
        try:
            raw = urlsafe_b64decode(told["raw"] + "==")
            return Found(id_, tuple(told.get("labelIds", ())), raw)
        except (KeyError, TypeError, ValueError):
            raise MailboxUnreachable(f"{self._where()} answered something else than a message") from None

    def _about(self, id_: str) -> Listed:
        told = self._get(f"{MESSAGES}/{id_}", {"format": "metadata", "metadataHeaders": "Message-ID"})
        try:
            headers = told.get("payload", {}).get("headers", [])
            named = [str(one["value"]).strip() for one in headers if str(one["name"]).lower() == "message-id"]
            received = datetime.fromtimestamp(int(told["internalDate"]) / 1000, UTC)
            return Listed(id_, named[0] if named else "", received)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
            raise MailboxUnreachable(f"{self._where()} answered something else than a message") from None

    def _said(self, answer: Answer) -> Outcome:
        words, reason = _words(answer)
        if answer.ok and isinstance(answer.body, dict) and answer.body.get("id"):
            return Accepted(f"Gmail took it as {answer.body['id']}")
        if answer.status == 401:
            self._token = ""
            raise AuthFailed(f"{self._where()} refuses the token: {words}")
        if answer.status == 429 or (answer.status == 403 and reason in _LATER):
            return RefusedForNow(answer.status, words)
        if answer.status == 403:
            raise AuthFailed(f"{self._where()}: {words}")
        if 400 <= answer.status < 500 and answer.status != 408:
            return RefusedForGood(answer.status, words)
        return Unknown(f"HTTP {answer.status}: {words}")

    def _get(self, path: str, query: dict[str, str | int]) -> Any:
        return self._ask("GET", path, query=query)

    def _ask(self, verb: str, path: str, **what: Any) -> Any:
        try:
            answer = self._http().ask(verb, path, headers=self._bearer(), **what)
        except (NotSent, NoAnswer) as error:
            raise MailboxUnreachable(f"{self._where()}: {error}") from None
        if answer.status == 401:
            self._token = ""
        words, reason = _words(answer)
        if answer.status == 429 or (answer.status == 403 and reason in _LATER):
            raise MailboxUnreachable(f"{self._where()}: {words}")
        if answer.status in (401, 403):
            raise AuthFailed(f"{self._where()}: {words}")
        if answer.status == 404:
            raise NotThere(f"{self._where()}: HTTP 404")
        if not answer.ok:
            raise MailboxUnreachable(f"{self._where()}: HTTP {answer.status}")
        return answer.body if answer.body is not None else {}

    def _bearer(self) -> dict[str, str]:
        """Raises AuthFailed, MailboxUnreachable. Asking for a token changes nothing."""
        if not self._token or time.monotonic() > self._until:
            client = self._client()
            form = {
                "client_id": client.client_id, "client_secret": client.client_secret,
                "refresh_token": client.refresh_token, "grant_type": "refresh_token",
            }  # fmt: skip
            try:
                answer = Http(self._account.gmail_token_url, {}, seconds=self._account.timeout_seconds).ask(
                    "POST", "/token", form=form
                )
            except (NotSent, NoAnswer) as error:
                raise MailboxUnreachable(f"{self._where()}: no token: {error}") from None
            told = answer.body if isinstance(answer.body, dict) else {}
            if answer.status in (400, 401, 403):
                raise AuthFailed(
                    f"{self._where()}: Google gives no token ({str(told.get('error', answer.status))[:60]}); "
                    f"`countersign secrets gmail-login {self._account.name}` asks for a new grant"
                )
            if not answer.ok or not isinstance(told.get("access_token"), str):
                raise MailboxUnreachable(f"{self._where()}: no token: HTTP {answer.status}")
            self._token = told["access_token"]
            self._until = time.monotonic() + float(told.get("expires_in", 0)) - SPARE
        return {"Authorization": f"Bearer {self._token}"}

    def _client(self) -> Client:
        try:
            return Client.model_validate_json(self._secret())
        except ValidationError:
            raise AuthFailed(f"{self._where()}: the secret {self._account.secret_entry} is no OAuth client") from None
        except VaultError as error:
            raise AuthFailed(f"{self._where()}: {error}") from None

    def _http(self) -> Http:
        return Http(self._account.gmail_url, {}, seconds=self._account.timeout_seconds)

    def _where(self) -> str:
        return f"account {self._account.name}"


def _rows(listed: Any) -> list[Any]:
    rows = listed.get("messages") if isinstance(listed, dict) else None
    return [row for row in rows if isinstance(row, dict) and "id" in row] if isinstance(rows, list) else []


def _words(answer: Answer) -> tuple[str, str]:
    """What the API says is wrong, on one line, and its reason in one word."""
    try:
        error = answer.body["error"]
        details: Sequence[Any] = error.get("errors") or [{}]
        return " ".join(str(error.get("message", "")).split())[:200], str(details[0].get("reason", ""))
    except (TypeError, KeyError, AttributeError, IndexError):
        return " ".join(json.dumps(answer.text).split())[:200], ""
