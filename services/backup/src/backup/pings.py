"""Calls to monitors: a push monitor for each job, and a dead man's switch elsewhere. None of them stops a backup."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import httpx2
import structlog

from backup.settings import Alarms
from vault_protocol.files import secret_line

log = structlog.get_logger()

TIMEOUT = 10.0
LONGEST = 200
"""Characters of a reason that go along."""

Call = Callable[[str, dict[str, str]], None]


def call(url: str, query: dict[str, str], ca_file: Path | None = None) -> None:
    """`ca_file` is believed beside the system's authorities. Raises httpx2.HTTPError, OSError."""
    trusted = ssl.create_default_context()
    if ca_file is not None:
        trusted.load_verify_locations(ca_file)
    address = httpx2.URL(url).copy_merge_params(query)
    httpx2.get(address, timeout=TIMEOUT, follow_redirects=False, verify=trusted).raise_for_status()


class Pings:
    """The addresses are read anew each time: a rotated token needs no restart, and no log ever holds one."""

    def __init__(self, alarms: Alarms, say: Call | None = None) -> None:
        self._alarms, self._call = alarms, say or (lambda url, query: call(url, query, alarms.ca_file))
        self._untold: dict[str, dict[str, str]] = {}
        """The newest word on each job that its monitor did not take."""

    def job(self, job: str, *, well: bool, words: str = "OK") -> None:
        """Uptime Kuma's push: up, or down with a reason."""
        if job in self._alarms.push:
            self._job(job, {"status": "up" if well else "down", "msg": words[:LONGEST]})

    def again(self) -> None:
        """What was not taken, once more: a job may run once a day, and its monitor be away for that minute."""
        for job, query in [*self._untold.items()]:
            self._job(job, query)

    def all_is_well(self) -> None:
        """Said to the dead man's switch, which raises the alarm when it is not said."""
        if self._alarms.dead_man is not None:
            self._tell("dead man", self._alarms.dead_man, {})

    def _job(self, job: str, query: dict[str, str]) -> None:
        if self._tell(job, self._alarms.push[job], query):
            self._untold.pop(job, None)
        else:
            self._untold[job] = query

    def _tell(self, what: str, file: Path, query: dict[str, str]) -> bool:
        """Whether it was taken."""
        try:
            self._call(secret_line(file), query)
        except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold the address; a backup goes on
            if what not in self._untold:
                log.warning("ping.failed", monitor=what, error=type(error).__name__)
            return False
        return True
