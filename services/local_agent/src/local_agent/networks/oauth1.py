"""OAuth 1.0a (RFC 5849) with HMAC-SHA1: what X takes from a program of one user, and what does not expire."""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlsplit

import httpx2


@dataclass(frozen=True)
class Keys:
    """The four secrets of an app and a user."""

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    token: str = field(repr=False)
    token_secret: str = field(repr=False)


class OAuth1(httpx2.Auth):
    """Signs each request. Only form bodies would be signed too, and we send none."""

    def __init__(
        self, keys: Keys, *, nonce: Callable[[], str] = lambda: secrets.token_hex(16),
        now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._keys, self._nonce, self._now = keys, nonce, now

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        request.headers["Authorization"] = self.header(request.method, str(request.url))
        yield request

    def header(self, verb: str, url: str) -> str:
        oauth = {
            "oauth_consumer_key": self._keys.consumer_key, "oauth_nonce": self._nonce(),
            "oauth_signature_method": "HMAC-SHA1", "oauth_timestamp": str(int(self._now())),
            "oauth_token": self._keys.token, "oauth_version": "1.0",
        }  # fmt: skip
        query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
        oauth["oauth_signature"] = self.signature(verb, url, [*oauth.items(), *query])
        return "OAuth " + ", ".join(f'{_spelled(name)}="{_spelled(value)}"' for name, value in sorted(oauth.items()))

    def signature(self, verb: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
        parts = urlsplit(url)
        pairs = sorted((_spelled(name), _spelled(value)) for name, value in parameters)
        joined = "&".join(f"{name}={value}" for name, value in pairs)
        where = f"{parts.scheme}://{parts.netloc}{parts.path}"
        base = "&".join(map(_spelled, (verb.upper(), where, joined)))
        key = f"{_spelled(self._keys.consumer_secret)}&{_spelled(self._keys.token_secret)}"
        return base64.b64encode(hmac.digest(key.encode(), base.encode(), "sha1")).decode("ascii")


def _spelled(text: str) -> str:
    return quote(text, safe="-._~")
