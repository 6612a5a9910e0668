"""Local's own signs of life to monitors outside: that it works, and that this week's briefing is written.

On a thread of its own, as a monitor that hangs must hold nothing up. What it says is what the steps of the service were
seen to do: a service that hangs falls silent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from local_agent.home import Home, Settings
from local_agent.pings import PingFailed, call
from local_agent.weekly import path_of
from vault_protocol.clock import Clock
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private
from vault_protocol.vault import Vault

log = structlog.get_logger()

FRESH = 300.0
"""Seconds after its last step in which the service counts as working: sending may take long."""
BETWEEN_LOOKS = 60.0
"""Seconds between two looks for the briefing."""


class Presence:
    """`stepped` is told by the service's thread; `round` calls what is due."""

    def __init__(
        self, home: Home, settings: Settings, clock: Clock, call: Callable[[Path, str, Path | None], None] = call
    ) -> None:
        pings = settings.pings
        named = (
            ("presence", pings.presence_file, home.ping("local")),
            ("briefing", pings.briefing_file, home.ping("briefing")),
        )
        self._files = {
            name: home.path / file.expanduser() if file is not None else brought
            for name, file, brought in named
            if file is not None or brought.exists()
        }
        self._every, self._ca, self._clock, self._call = pings.every_seconds, settings.hub_ca_file, clock, call
        self._told_file = home.briefing_told
        self._stepped: float | None = None
        self._looked: float | None = None
        self._briefing = ""
        """Where this week's lies, once it is there."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def stepped(self, vault: Vault) -> None:
        """The service did a step."""
        now = self._stepped = self._clock.monotonic()
        if "briefing" in self._files and (self._looked is None or now - self._looked >= BETWEEN_LOOKS):
            self._looked = now
            path = path_of(self._clock.now())
            if path != self._briefing and vault.journal.head is not None and vault.journal.read(path) is not None:
                self._briefing = path

    def round(self) -> None:
        """Call what is due. Nothing that goes wrong goes further than the log."""
        if self._stepped is not None and self._clock.monotonic() - self._stepped < FRESH:
            self._tell("presence", "at work")
        written = self._briefing
        if written and written != self._told() and self._tell("briefing", written):
            write_private(self._told_file, written.encode("utf-8"))

    def start(self) -> None:
        """Nothing starts when no monitor is named."""
        if self._files:
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        first = True
        while not self._stop.wait(1.0 if first else self._every):
            first = first and self._stepped is None
            try:
                self.round()
            except OSError as error:  # a full disk, which the service tells of
                log.warning("ping.failed", reason=type(error).__name__)

    def _told(self) -> str:
        try:
            return self._told_file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def _tell(self, monitor: str, words: str) -> bool:
        file = self._files.get(monitor)
        if file is None:
            return False
        try:
            self._call(file, words, self._ca)
        except (PingFailed, VaultError) as error:
            log.warning("ping.failed", monitor=monitor, reason=str(error))
            return False
        return True
