"""The way to the hub, and a connection whose requests leave in one piece: the hub reads one with a single call."""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from .errors import VaultError

TOGETHER = 64 * 1024
"""Bytes from which a body is sent by itself: to join it with the head would copy it."""


class Deadline:
    """A time at which whatever comes over a line has to be whole, however slowly it comes; None: it has none."""

    def __init__(self) -> None:
        self._seconds, self._ends = 0.0, 0.0
        self._monotonic: Callable[[], float] | None = None

    def begin(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """From now on, so many seconds."""
        self._seconds, self._monotonic = seconds, monotonic
        self._ends = monotonic() + seconds

    def left(self) -> float | None:
        """Seconds, None without an end. Raises TimeoutError when it has passed."""
        if self._monotonic is None:
            return None
        left = self._ends - self._monotonic()
        if left <= 0:
            raise TimeoutError(f"its answer was not whole after {self._seconds:g} s; look at it, and at the line to it")
        return left


class _Coming(io.RawIOBase):
    """What a socket receives, until the deadline: a timeout alone begins anew with every byte."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: Deadline) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline
        self._timeout = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline.left()
        if left is None:
            return self._raw.readinto(buffer)
        self._sock.settimeout(left if self._timeout is None else min(left, self._timeout))
        try:
            return self._raw.readinto(buffer)
        except TimeoutError:
            self._deadline.left()
            raise
        finally:
            self._sock.settimeout(self._timeout)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """As the standard one, and whole by the deadline or not at all, its head too."""

    def __init__(self, deadline: Deadline, sock: socket.socket, *rest: Any, **more: Any) -> None:
        super().__init__(sock, *rest, **more)
        self.fp = io.BufferedReader(_Coming(self.fp.detach(), sock, deadline))


class Line(http.client.HTTPConnection):
    """As the standard one, which sends a request's head and its body one after the other. `deadline` is that of the
    answer that comes next."""

    _pieces: list[bytes] | None = None

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.deadline = Deadline()
        self.response_class = cast("type[http.client.HTTPResponse]", partial(_Answer, self.deadline))

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
