"""A connection to the hub whose requests leave in one piece: the hub reads such a one with a single call."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any

TOGETHER = 64 * 1024
"""Bytes from which a body is sent by itself: to join it with the head would copy it."""


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
