"""One HTTP call to a provider, and exactly what is known after it. Never repeated here, no redirect followed."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2

from local_agent.own_machine import protected

LARGEST_ANSWER = 32 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back whole. `body` is the JSON, or None when it is none; `text` is for messages, cut short."""

    status: int
    body: Any
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def retry_after(self) -> timedelta | None:
        """How long the other side wants to be left alone, when it says so in seconds."""
        said = self.headers.get("retry-after", "")
        return timedelta(seconds=min(int(said), 86400)) if said.isdigit() else None


class NotSent(Exception):
    """It could not be asked: nothing reached the other side."""


class NoAnswer(Exception):
    """It was asked, or may have been, and no whole answer came: it may be done."""


class Http:
    """Calls below one address. The headers hold the credential; nothing here prints them."""

    def __init__(
        self, base_url: str, headers: Mapping[str, str], *, seconds: float = 30, ca_file: Path | None = None
    ) -> None:
        """Raises ValueError for an address that would carry the credential in the clear."""
        self._base, self._seconds = protected(base_url, base_url), seconds
        self._headers = {"User-Agent": "countersign", **headers}
        self._verify = trusted(base_url, ca_file)

    def ask(
        self, verb: str, path: str, *, body: Any = None, form: Mapping[str, str] | None = None,
        query: Mapping[str, str | int] | None = None, headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:  # fmt: skip
        """Raises NotSent and NoAnswer."""
        given: dict[str, Any] = {"params": dict(query or {}), "headers": dict(headers or {})}
        if body is not None:
            given["json"] = body
        elif form is not None:
            given["data"] = dict(form)
        elif content is not None:
            given["content"] = content
        with self._client() as http:
            return asked(http, verb, path, seconds=self._seconds, **given)

    def _client(self) -> httpx2.Client:
        """For one call: an effect is rare, and a connection that nobody keeps is never half dead."""
        return httpx2.Client(
            base_url=self._base, headers=self._headers, timeout=self._seconds, verify=self._verify,
            trust_env=False, follow_redirects=False,
        )  # fmt: skip


def asked(
    http: httpx2.Client, verb: str, path: str, *, seconds: float, largest: int = LARGEST_ANSWER, **given: Any
) -> Answer:
    """One call, its answer read whole: of at most so many bytes, within so many seconds. Raises NotSent, NoAnswer."""
    until = time.monotonic() + seconds
    try:
        with http.stream(verb, path, **given) as reply:
            read = bytearray()
            for chunk in reply.iter_bytes():
                read += chunk
                if len(read) > largest or time.monotonic() > until:
                    raise NoAnswer("the answer was too long, or too slow")
            return _answer(reply.status_code, bytes(read), reply.headers)
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol) as error:
        raise NotSent(str(error) or type(error).__name__) from None
    except httpx2.HTTPError as error:
        raise NoAnswer(str(error) or type(error).__name__) from None


def trusted(base_url: str, ca_file: Path | None) -> ssl.SSLContext | bool:
    """Whose certificates are believed at this address; there are none to look at where it is plain HTTP."""
    secure = base_url.startswith("https:")
    return ssl.create_default_context(cafile=str(ca_file) if ca_file else None) if secure else False


def _answer(status: int, read: bytes, headers: Mapping[str, str]) -> Answer:
    try:
        body = json.loads(read) if read.strip() else None
    except (ValueError, RecursionError):
        body = None
    return Answer(status, body, read[:300].decode("utf-8", "replace"), {k.lower(): v for k, v in headers.items()})
