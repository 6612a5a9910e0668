"""How much of its life a certificate has left, whoever issued it: the stack's own authority for half a day, or a public
one for 90 days. Each is renewed when a third is left, so an alert in days would be wrong for one of them."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Annotated

import structlog
from cryptography.x509 import load_der_x509_certificate
from pydantic import BaseModel, ConfigDict, Field

log = structlog.get_logger()

LEAST = 1 / 6
"""Of its life. Caddy renews when a third is left, and tries again and again from then on."""
TIMEOUT = 5.0
KEPT = 30.0
"""Seconds for which an answer is good."""


class Place(BaseModel):
    """Who shows a certificate, and under which name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)]
    name: Annotated[str, Field(min_length=1)]


def life_left(place: Place, now: datetime) -> float:
    """From 1, just issued, to 0, at its end, and below. Nobody has to vouch for it. Raises OSError, ValueError."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((place.host, place.port), TIMEOUT) as line,
        context.wrap_socket(line, server_hostname=place.name) as secure,
    ):
        shown = secure.getpeercert(binary_form=True)
    if shown is None:
        raise ValueError("no certificate was shown")
    found = load_der_x509_certificate(shown)
    life = found.not_valid_after_utc - found.not_valid_before_utc
    return (found.not_valid_after_utc - now) / life


class Certificates:
    """Looks when it is asked, and not more often than every half minute."""

    def __init__(
        self, places: Mapping[str, Place], now: Callable[[], datetime], *,
        monotonic: Callable[[], float] = time.monotonic,
        look: Callable[[Place, datetime], float] = life_left,
    ) -> None:  # fmt: skip
        self._places, self._now, self._monotonic, self._look = dict(places), now, monotonic, look
        self._seen: dict[str, float] = {}
        """Of those that were shown."""
        self._at: float | None = None

    def state(self) -> str:
        """A line each: `NAME certificate ok`, `bad`, or `unknown` when none is shown: another alert tells that."""
        seen = self._fresh()
        return "".join(f"{name} certificate {_word(seen.get(name))}\n" for name in sorted(self._places))

    def metrics(self, prefix: str) -> str:
        return "".join(
            f'{prefix}certificate_life_left{{certificate="{name}"}} {left:.4f}\n'
            for name, left in sorted(self._fresh().items())
        )

    def _fresh(self) -> dict[str, float]:
        now = self._monotonic()
        if self._places and (self._at is None or now - self._at >= KEPT):
            with ThreadPoolExecutor(len(self._places)) as pool:
                found = pool.map(self._left, self._places.items())
                self._seen = {name: left for name, left in found if left is not None}
            self._at = now
        return self._seen

    def _left(self, named: tuple[str, Place]) -> tuple[str, float | None]:
        name, place = named
        try:
            return name, self._look(place, self._now())
        except (OSError, ValueError) as error:
            log.info("certificate.unseen", certificate=name, reason=type(error).__name__)
            return name, None


def _word(left: float | None) -> str:
    if left is None:
        return "unknown"
    return "ok" if left >= LEAST else "bad"
