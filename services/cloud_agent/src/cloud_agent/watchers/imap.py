"""The mail watcher: every message in the folder reaches `on_mail`, in order, at least once."""

import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from cloud_agent.watchers.arrival import Arrival, Retry
from cloud_agent.watchers.faults import FolderMissing, LoginRefused, Unreachable
from cloud_agent.watchers.folder import Listed, RemoteFolder
from cloud_agent.watchers.mailbox_settings import MailboxSettings
from cloud_agent.watchers.state import WatchState
from cloud_agent.watchers.waiting import Backoff, Patience, Trouble
from vault_protocol import disk
from vault_protocol.errors import DiskTrouble

__all__ = ["Arrival", "Backoff", "ImapWatcher", "MailboxSettings", "Retry", "Trouble", "WatchState"]

log = structlog.get_logger()


class ImapWatcher:
    """Watches one mailbox. Progress is saved only after `on_mail` returned, so a crash repeats a message.

    `on_mail` may raise Retry; anything else it raises ends `run`.
    """

    def __init__(
        self,
        settings: MailboxSettings,
        state_file: Path,
        on_mail: Callable[[Arrival], None],
        *,
        on_trouble: Callable[[Trouble, str], None] = lambda trouble, detail: None,
        on_healthy: Callable[[], None] = lambda: None,
        backoff: Backoff | None = None,
        step: Callable[[str], None] = lambda name: None,
        generation: Callable[[], int] = lambda: 0,
    ) -> None:
        """`on_healthy` is called after every look that found the mailbox in order; `step` is told "watched" after
        each message whose handing over is written down. When `generation` rose, the mailbox is read from the start:
        a new root of the vault may have left behind what was handed over. A mail never makes a second task."""
        self._settings = settings
        self._state_file = state_file
        self._on_mail = on_mail
        self._on_healthy = on_healthy
        self._patience = Patience(settings, backoff or Backoff(), on_trouble)
        self._step = step
        self._generation = generation
        self._untaken: tuple[int, Listed, Arrival] | None = None
        """Fetched and not taken: it need not be fetched with every try."""

    def again(self) -> None:
        """What stood in the way may be gone: do not wait any longer. Callable from another thread."""
        self._patience.again()

    def catch_up(self) -> int:
        """Hand over what is new, once; returns how many. Raises LoginRefused, FolderMissing, Unreachable, Retry."""
        with RemoteFolder.open(self._settings) as folder:
            return self._hand_over_new(folder, threading.Event())

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set, reconnecting as needed."""
        failures = 0
        while not stop.is_set():
            try:
                with RemoteFolder.open(self._settings) as folder:
                    while not stop.is_set():
                        try:
                            self._hand_over_new(folder, stop)
                        except (Retry, DiskTrouble) as error:  # no fault of the server: the connection stays
                            failures += 1
                            self._patience.pause(Trouble.NOT_TAKEN, str(error), failures, stop)
                            continue
                        failures = 0
                        self._patience.called.clear()
                        self._on_healthy()
                        if not folder.heard_news():
                            folder.wait_for_news(stop)
            except (LoginRefused, FolderMissing, Unreachable) as error:
                failures += 1
                self._patience.pause(_trouble(error), str(error), failures, stop)

    def _hand_over_new(self, folder: RemoteFolder, stop: threading.Event) -> int:
        uidvalidity, generation = folder.select(), self._generation()
        with disk.watched(self._state_file):
            state = WatchState.read(self._state_file)
        if state is None or (state.uidvalidity, state.generation) != (uidvalidity, generation):
            if state is not None:
                why = "mailbox.renumbered" if state.generation == generation else "mailbox.read_again"
                log.warning(why, mailbox=self._settings.name)
            state = WatchState(uidvalidity=uidvalidity, last_uid=0)
        count = 0
        for listed in folder.listed(folder.uids_after(state.last_uid, self._settings.since)):
            if stop.is_set():
                break
            arrival = self._fetch(folder, listed, uidvalidity)
            if arrival is not None:
                self._untaken = uidvalidity, listed, arrival
                self._on_mail(arrival)
                count += 1
            reached = WatchState(uidvalidity=uidvalidity, last_uid=listed.uid, generation=generation)
            with disk.watched(self._state_file):
                reached.write(self._state_file)
            self._untaken = None
            self._step("watched")
        return count

    def _fetch(self, folder: RemoteFolder, listed: Listed, uidvalidity: int) -> Arrival | None:
        if self._untaken is not None and self._untaken[:2] == (uidvalidity, listed):
            return self._untaken[2]
        oversized = listed.size > self._settings.largest_bytes
        raw = folder.text(listed.uid, headers_only=oversized)
        if raw is None:
            return None
        return Arrival(self._settings.name, listed.received_at, raw, oversized)


def _trouble(error: Exception) -> Trouble:
    match error:
        case LoginRefused():
            return Trouble.AUTH
        case FolderMissing():
            return Trouble.FOLDER
        case _:
            return Trouble.UNREACHABLE
