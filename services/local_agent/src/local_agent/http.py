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
from urllib.parse import urlsplit

import httpx2

from local_agent.mail_account import is_this_machine

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
        parts = urlsplit(base_url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(parts.hostname or "")):
            raise ValueError(f"{base_url}: the address must begin with https://")
        self._base, self._seconds = base_url, seconds
        self._headers = {"User-Agent": "countersign", **headers}
        secure = parts.scheme == "https"
        self._verify = ssl.create_default_context(cafile=str(ca_file) if ca_file else None) if secure else False

    def ask(
        self, verb: str, path: str, *, body: Any = None, form: Mapping[str, str] | None = None,
        query: Mapping[str, str | int] | None = None, headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:  # fmt: skip
        """Raises NotSent and NoAnswer."""
        until = time.monotonic() + self._seconds
        given: dict[str, Any] = {"params": dict(query or {}), "headers": dict(headers or {})}
        if body is not None:
            given["json"] = body
        elif form is not None:
            given["data"] = dict(form)
        elif content is not None:
            given["content"] = content
        try:
            with self._client() as http, http.stream(verb, path, **given) as reply:
                read = bytearray()
                for chunk in reply.iter_bytes():
                    read += chunk
                    if len(read) > LARGEST_ANSWER or time.monotonic() > until:
                        raise NoAnswer("the answer was too long, or too slow")
                return _answer(reply.status_code, bytes(read), reply.headers)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol) as error:
            raise NotSent(str(error) or type(error).__name__) from None
        except httpx2.HTTPError as error:
            raise NoAnswer(str(error) or type(error).__name__) from None

    def _client(self) -> httpx2.Client:
        """For one call: an effect is rare, and a connection that nobody keeps is never half dead."""
        return httpx2.Client(
            base_url=self._base, headers=self._headers, timeout=self._seconds, verify=self._verify,
            trust_env=False, follow_redirects=False,
        )  # fmt: skip


def _answer(status: int, read: bytes, headers: Mapping[str, str]) -> Answer:
    try:
        body = json.loads(read) if read else None
    except ValueError:
        body = None
    return Answer(status, body, read[:300].decode("utf-8", "replace"), {k.lower(): v for k, v in headers.items()})
