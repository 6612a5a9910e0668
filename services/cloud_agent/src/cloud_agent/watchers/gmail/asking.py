"""One question to a Google server and its answer: over TLS, through the way out, bounded in size and time."""

from __future__ import annotations

import email.utils
import http.client
import json
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from cloud_agent.watchers.faults import Busy, LoginRefused, Unreachable

LARGEST = 16 * 2**20
"""Bytes of an answer that is no mail."""
LONGEST_PATIENCE = 3600.0
OUT_OF_QUOTA = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"})


class NotThere(Exception):
    """404."""


class Expired(Exception):
    """401: the access token is not taken any more."""


class TooLarge(Exception):
    """The answer has more bytes than were allowed for."""


class Line:
    """A connection to one server, opened when first used and used again while it holds."""

    def __init__(self, url: str, *, way_out: str | None, timeout: float, mailbox: str) -> None:
        parts = urlsplit(url)
        self._secure, self._host = parts.scheme == "https", parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._way_out, self._timeout, self._mailbox = way_out, timeout, mailbox
        self._open: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def get(self, path: str, query: Mapping[str, object], *, token: str = "", largest: int = LARGEST) -> dict[str, Any]:
        """Raises NotThere, Expired, TooLarge, LoginRefused, Busy or Unreachable."""
        asked = f"{path}?{urlencode(query, doseq=True)}" if query else path
        return self._ask("GET", asked, None, {"Authorization": f"Bearer {token}"} if token else {}, largest)

    def post(self, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        """The same of a form."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, urlencode(form).encode("ascii"), kind, LARGEST)

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], largest: int
    ) -> dict[str, Any]:
        used = self._open is not None
        try:
            line = self._open = self._open or self._connection()
            line.request(method, path, body, {"Accept": "application/json", **headers})
            answer = line.getresponse()
            content = answer.read(largest + 1)
            whole = answer.isclosed()
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            if used and method == "GET" and isinstance(error, ConnectionError):  # it was left open for too long
                return self._ask(method, path, body, headers, largest)
            raise Unreachable(f"mailbox {self._mailbox}: {self._host}: {type(error).__name__}: {error}") from None
        if not whole or answer.will_close:
            self.close()
        if len(content) > largest:
            raise TooLarge
        if answer.status != 200:
            raise self._fault(answer.status, content, answer.headers.get("Retry-After", ""))
        return self._said(content)

    def _connection(self) -> http.client.HTTPConnection:
        host, port, timeout = self._host, self._port, self._timeout
        if self._way_out is not None:
            name, _, number = self._way_out.rpartition(":")
            host, port = name, int(number)
        line: http.client.HTTPConnection
        if self._secure:
            line = http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
        else:
            line = http.client.HTTPConnection(host, port, timeout=timeout)
        if self._way_out is not None:
            line.set_tunnel(self._host, self._port)
        return line

    def _said(self, content: bytes) -> dict[str, Any]:
        try:
            said = json.loads(content)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            self.close()
            raise Unreachable(f"mailbox {self._mailbox}: {self._host} broke off, or answered no JSON")
        return said

    def _fault(self, status: int, content: bytes, patience: str) -> Exception:
        reason, where = _reason(content), f"mailbox {self._mailbox}: {self._host}"
        if status == 404:
            return NotThere()
        if status == 401 and reason not in ("invalid_client", "unauthorized_client"):
            return Expired()
        if status == 429 or status >= 500 or (status == 403 and reason in OUT_OF_QUOTA):
            return Busy(f"{where} answers {status} {reason}".rstrip(), _seconds(patience))
        if status in (400, 401, 403) and reason:
            return LoginRefused(f"{where} refuses: {reason}")
        return Unreachable(f"{where} answers {status}")


def _reason(content: bytes) -> str:
    """The one word of Google's that says why, or OAuth's: `error`, or the first of `error.errors`."""
    try:
        error = json.loads(content)["error"]
        word = error if isinstance(error, str) else (error.get("errors") or [error])[0]
        if isinstance(word, dict):
            word = word.get("reason") or word.get("status")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return ""
    return word if isinstance(word, str) and word.isascii() and word.isidentifier() and len(word) <= 60 else ""


def _seconds(patience: str) -> float:
    """Of Retry-After: a number of seconds, or a date; 0 when it says nothing."""
    if patience.strip().isdigit():
        return min(float(patience), LONGEST_PATIENCE)
    try:
        due = email.utils.parsedate_to_datetime(patience)
    except (ValueError, TypeError):
        return 0.0
    due = due if due.tzinfo else due.replace(tzinfo=UTC)
    return min(max(0.0, (due - datetime.now(UTC)).total_seconds()), LONGEST_PATIENCE)
