"""The service: Kuma made as it is wanted once, then looked at again and again, and what differs shown."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from monitor import verbs
from monitor.certificates import Certificates
from monitor.errors import KumaAway
from monitor.items import Item
from monitor.kuma import Kuma
from monitor.plan import plan
from monitor.settings import Settings
from vault_protocol.pages import ILL, NOT_FOUND, WELL, Pages

log = structlog.get_logger()

PREFIX = "countersign_monitor_"
SOON = 5.0
"""Seconds until an apply that failed is tried again."""


@dataclass
class Standing:
    """What the pages say. Written by the one loop, read by the pages."""

    applied: float = 0.0
    looked: float = 0.0
    """Seconds since 1970; 0: never."""
    drift: int = 0
    reachable: bool = False
    certificates: Certificates = field(default_factory=lambda: Certificates({}, lambda: datetime.now(UTC)))

    def answer(self, path: str) -> tuple[int, str]:
        match path:
            case "/healthz":
                return (WELL, "applied\n") if self.applied else (ILL, "not yet applied\n")
            case "/state":
                return WELL, self.certificates.state()
            case "/metrics":
                return WELL, self._metrics() + self.certificates.metrics(PREFIX)
            case _:
                return NOT_FOUND, "not here\n"

    def _metrics(self) -> str:
        values = {
            "applied_timestamp_seconds": int(self.applied), "looked_timestamp_seconds": int(self.looked),
            "drift": self.drift, "kuma_reachable": int(self.reachable),
        }  # fmt: skip
        return "".join(f"{PREFIX}{name} {value}\n" for name, value in values.items())


def look(kuma: Kuma, wishes: Iterable[Item], standing: Standing, now: float) -> None:
    """The first time make it so; after that only see what somebody changed. Raises KumaAway."""
    wishes = list(wishes)
    if not standing.applied:
        made = verbs.apply(kuma, wishes, tell=lambda change: log.info("monitor.changed", what=change.words()))
        log.info("monitor.applied", changes=len(made.changes))
        standing.applied = now
    changes = plan(wishes, kuma.found()).changes
    if len(changes) != standing.drift:
        log.warning("monitor.drift", changes=[change.words() for change in changes[:20]])
    standing.drift, standing.looked, standing.reachable = len(changes), now, True


def keep(settings: Settings, wishes: Iterable[Item], connect: Callable[[], AbstractContextManager[Kuma]]) -> None:
    """Until SIGTERM or SIGINT."""
    stop, wishes = threading.Event(), list(wishes)
    standing = Standing(certificates=Certificates(settings.certificates, lambda: datetime.now(UTC)))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Pages(settings.health_host, settings.health_port, standing.answer) as pages:
        log.info("monitor.started", port=pages.port)
        while not stop.is_set():
            try:
                with connect() as kuma:
                    look(kuma, wishes, standing, time.time())
            except KumaAway as error:
                standing.reachable = False
                log.warning("kuma.away", error=str(error))
            stop.wait(settings.look_seconds if standing.applied and standing.reachable else SOON)
    log.info("monitor.ended")
