"""The threads of the agent: one that works, one that listens to the hub, one for each mailbox."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from cloud_agent.desk import Desk
from cloud_agent.health import Health
from cloud_agent.housekeeping import Housekeeping
from cloud_agent.retries import Later, Pauses
from cloud_agent.worker import Worker
from vault_protocol import disk
from vault_protocol.errors import DiskTrouble, HubDenied, HubUnreachable, Refused, UntrustedHead, VaultError
from vault_protocol.hub import Hub

log = structlog.get_logger()

LAST_WORDS = 10.0
"""Seconds a watcher gets to leave its server."""

LOOK_ROUND = 30
"""Polls after which the worker looks round although nobody called it: leases run out, and its health file ages."""

LONGEST_ROUND = 30.0

LAST_STEP = 5.0
"""Seconds the worker gets to finish what it is at; a drafter may take longer, and is not waited for."""


class Watcher(Protocol):
    """What listens to one mailbox, on a thread of its own."""

    def run(self, stop: threading.Event) -> None: ...

    def again(self) -> None:
        """Do not wait any longer for what may be back."""


class Service:
    """Runs until `stop` is set, or until one of its threads meets a bug; `bug` is what it met."""

    def __init__(
        self, *, worker: Worker, watchers: Sequence[Watcher], hub: Hub, desk: Desk, housekeeping: Housekeeping,
        health: Health, later: Later, poll_seconds: float, pauses: Pauses, wake: threading.Event,
    ) -> None:  # fmt: skip
        """`wake`: set by whoever has work for the worker."""
        self._worker, self._watchers, self._hub, self._desk = worker, watchers, hub, desk
        self._housekeeping, self._health, self._later = housekeeping, health, later
        self._poll_seconds, self._pauses, self._wake = poll_seconds, pauses, wake
        self._round = min(poll_seconds * LOOK_ROUND, LONGEST_ROUND)
        self.health = health
        self.stop = threading.Event()
        self.bug: BaseException | None = None

    def run(self, on_end: Callable[[], None] = lambda: None) -> None:
        """Work, on the calling thread. `on_end` is called when everything has ended, whatever the reason.

        A hub that does not let us in at the first step is a bug of the settings; later it is waited for.
        """
        listener = threading.Thread(target=self._listen, name="hub", daemon=True)
        threads = [
            threading.Thread(target=self._guarded, args=(watcher.run,), name=f"mailbox-{number}", daemon=True)
            for number, watcher in enumerate(self._watchers)
        ]
        try:
            for thread in (*threads, listener):
                thread.start()
            self._guarded(self._work)
            for thread in threads:
                thread.join(LAST_WORDS)
        finally:
            on_end()

    def end(self) -> None:
        """Finish the step, give back what is held, and return from `run`."""
        self.stop.set()
        self._wake.set()

    def drain(self, worker: threading.Thread, seconds: float = LAST_STEP) -> None:
        """After `end`: give back what is held, whether or not the worker's step ends in time, and leave the hub.

        What a step that goes on would still write is refused: the task is no longer ours.
        """
        worker.join(seconds)
        if worker.is_alive():
            log.info("agent.drained", waited=seconds)
            self._let_go()
        self._hub.close()

    def _work(self, stop: threading.Event) -> None:
        failures, ill, let_in = 0, False, False
        while not stop.is_set():
            self._wake.clear()
            try:
                with disk.watched("state_dir"):
                    more = self._worker.step()
                    if not more:
                        self._rest()
                failures, full, let_in = 0, False, True
                self._health.untrusted = ""
            except DiskTrouble as error:
                failures, more, full = failures + 1, False, True
                log.error("disk.trouble", reason=str(error), failures=failures)
            except (HubUnreachable, UntrustedHead, Refused) as error:
                if isinstance(error, HubDenied) and not let_in:
                    raise
                failures, more, full = failures + 1, False, False
                self._trouble(error, failures)
            self._health.hub_reachable, self._health.disk_ok = failures == 0 or full, not full
            self._health.drafter_ok = self._worker.drafter_ok
            self._health.step()
            was_ill, ill = ill, failures > 0 or not self._health.is_written
            if was_ill and not ill:
                for watcher in self._watchers:
                    watcher.again()
            if failures:
                stop.wait(self._pauses.seconds(failures))
            elif not more:
                self._wake.wait(min(self._later.soonest() or self._round, self._round))
        self._let_go()

    def _rest(self) -> None:
        """Before a wait: where a restart goes on from is on disk."""
        with self._desk.vault() as vault:
            vault.journal.save()

    def _trouble(self, error: VaultError, failures: int) -> None:
        """A head that is not to be trusted is the owner's to mend: said once in full, and in the health file."""
        _warn(error, failures)
        if isinstance(error, UntrustedHead):
            if self._health.untrusted != error.reason:
                log.error("head.untrusted", commit=error.commit[:12], reason=error.reason)
            self._health.untrusted = error.reason

    def _let_go(self) -> None:
        try:
            with disk.watched("state_dir"), self._desk.vault() as vault:
                self._housekeeping.let_go(vault)
        except (HubUnreachable, UntrustedHead, Refused, DiskTrouble) as error:
            _warn(error, 1)

    def _listen(self) -> None:
        while not self.stop.is_set():
            if self._hub.wait(self._poll_seconds):
                self._wake.set()

    def _guarded(self, target: Callable[[threading.Event], None]) -> None:
        try:
            target(self.stop)
        except BaseException as error:  # noqa: BLE001 - carried to the main thread, which ends with it
            self.bug = self.bug or error
            self.end()


def _warn(error: VaultError, failures: int) -> None:
    why = {"reason": str(error)[:300]} if isinstance(error, HubUnreachable) else {}
    log.warning("hub.trouble", error=type(error).__name__, failures=failures, **why)
