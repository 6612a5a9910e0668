"""The way to the hub, and a connection whose requests leave in one piece: the hub reads one with a single call."""

from __future__ import annotations

import http.client
import io
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import VaultError

TOGETHER = 64 * 1024
"""Bytes from which a body is sent by itself: to join it with the head would copy it."""


ANSWER_SECONDS = 300.0
"""Within which one answer is here whole, however it trickles: 8 MiB over a quarter of a megabit."""


class InTime(http.client.HTTPResponse):
    """An answer that is read within ANSWER_SECONDS or not at all: a socket's time-out begins anew at each byte."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fp: io.BufferedReader = io.BufferedReader(_Until(self.fp.detach(), time.monotonic() + ANSWER_SECONDS))


class _Until(io.RawIOBase):
    def __init__(self, source: io.RawIOBase, until: float) -> None:
        self._source, self._until = source, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() > self._until:
            raise TimeoutError(f"its answer was not here after {ANSWER_SECONDS:g} s")
        return self._source.readinto(buffer)

    def close(self) -> None:
        self._source.close()
        super().close()


class Line(http.client.HTTPConnection):
    """As the standard one, which sends a request's head and its body one after the other."""

    _pieces: list[bytes] | None = None

    def request(
        self, method: str, url: str, body: Any = None, headers: Mapping[str, Any] = {},
        *, encode_chunked: bool = False,
    ) -> None:  # fmt: skip
        if not isinstance(body, bytes) or len(body) >= TOGETHER:
            super().request(method, url, body, headers, encode_chunked=encode_chunked)
            return
        self._pieces = []
        try:
            super().request(method, url, body, headers, encode_chunked=encode_chunked)
            whole = b"".join(self._pieces)
        finally:
            self._pieces = None
        self.send(whole)

    def send(self, data: Any) -> None:
        if self._pieces is not None:
            self._pieces.append(bytes(data))
        else:
            super().send(data)


class TlsLine(Line, http.client.HTTPSConnection):
    """The same inside TLS."""


@dataclass(frozen=True)
class Way:
    """Where the hub is, whom to believe there, and through which HTTP proxy (`HOST:PORT`) it is reached, if any."""

    host: str
    port: int | None
    context: ssl.SSLContext | None
    """None: in the clear, on this machine alone."""
    way_out: str | None = None

    @classmethod
    def to(cls, url: str, *, ca_file: Path | None = None, way_out: str | None = None) -> Way:
        """Raises VaultError for an address or a CA file that cannot be used."""
        secure, host, port = parse_address(url)
        return cls(host, port, _trusting(ca_file) if secure else None, way_out if secure else None)

    def open(self, timeout: float) -> Line:
        """Not connected yet: the first request does that."""
        if self.context is None:
            return Line(self.host, self.port, timeout=timeout)
        if self.way_out is None:
            return TlsLine(self.host, self.port, timeout=timeout, context=self.context)
        proxy, _, port = self.way_out.rpartition(":")
        line = TlsLine(proxy, int(port), timeout=timeout, context=self.context)
        line.set_tunnel(self.host, self.port or http.client.HTTPS_PORT)
        return line


def parse_address(url: str) -> tuple[bool, str, int | None]:
    """Whether it is TLS, the host, and the port if one is named. Raises VaultError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = parts = None
    shown = re.sub("//[^/]*@", "//…@", url)
    if parts is None or not host or parts.path.strip("/") or parts.query or "@" in parts.netloc:
        raise VaultError(f"{shown}: a resident hub's address is https://HOST or https://HOST:PORT")
    if parts.scheme == "https":
        return True, host, port
    if parts.scheme == "http" and host in ("localhost", "127.0.0.1", "::1"):
        return False, host, port
    raise VaultError(f"{shown}: a hub is reached by https, or by http on this machine alone")


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise VaultError(f"hub_ca_file: cannot use {ca_file}: {error.strerror or 'it holds no certificate'}") from None
