"""The Gmail watcher: every message under the label reaches `on_mail`, oldest first, at least once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from cloud_agent.watchers.arrival import Arrival, Retry
from cloud_agent.watchers.faults import Busy, LoginRefused, Unreachable
from cloud_agent.watchers.gmail.access import Access
from cloud_agent.watchers.gmail.account import Account, Fetched, HistoryGone
from cloud_agent.watchers.gmail.progress import Progress, backlog_file, read_backlog, write_backlog
from cloud_agent.watchers.mailbox_settings import GmailSettings
from cloud_agent.watchers.waiting import Backoff, Patience, Trouble, wait
from vault_protocol import disk
from vault_protocol.errors import DiskTrouble

log = structlog.get_logger()


class GmailWatcher:
    """Watches one account. Progress is saved only after `on_mail` returned, so a crash repeats a message.

    `on_mail` may raise Retry; anything else it raises ends `run`, and so does a grant that can do more than read.
    """

    def __init__(
        self,
        settings: GmailSettings,
        state_file: Path,
        on_mail: Callable[[Arrival], None],
        *,
        on_trouble: Callable[[Trouble, str], None] = lambda trouble, detail: None,
        on_healthy: Callable[[], None] = lambda: None,
        backoff: Backoff | None = None,
        step: Callable[[str], None] = lambda name: None,
        generation: Callable[[], int] = lambda: 0,
    ) -> None:
        """As of the IMAP watcher."""
        self._settings, self._state_file, self._on_mail = settings, state_file, on_mail
        self._on_healthy, self._step, self._generation = on_healthy, step, generation
        self._patience = Patience(settings, backoff or Backoff(), on_trouble)
        self._access = Access(settings)
        self._untaken: tuple[str, Fetched] | None = None
        """Fetched and not taken: it need not be fetched with every try."""

    def again(self) -> None:
        """What stood in the way may be gone: do not wait any longer. Callable from another thread."""
        self._patience.again()

    def catch_up(self) -> int:
        """Hand over what is new, once; returns how many. Raises GrantTooWide, LoginRefused, Unreachable, Retry."""
        return self._hand_over_new(threading.Event())

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set. Raises GrantTooWide."""
        failures = 0
        while not stop.is_set():
            try:
                self._hand_over_new(stop)
            except (Retry, DiskTrouble) as error:
                failures += 1
                self._patience.pause(Trouble.NOT_TAKEN, str(error), failures, stop)
                continue
            except (LoginRefused, Unreachable) as error:
                failures += 1
                trouble = Trouble.AUTH if isinstance(error, LoginRefused) else Trouble.UNREACHABLE
                asked = error.seconds if isinstance(error, Busy) else None
                self._patience.pause(trouble, str(error), failures, stop, asked=asked)
                continue
            failures = 0
            self._on_healthy()
            wait(self._settings.poll_seconds, stop=stop, again=self._patience.called)

    def _hand_over_new(self, stop: threading.Event) -> int:
        generation = self._generation()
        with disk.watched(self._state_file):
            progress = Progress.read(self._state_file)
        with Account.open(self._settings, self._access) as account:
            if progress is None or progress.generation != generation:
                if progress is not None:
                    log.warning("mailbox.read_again", mailbox=self._settings.name)
                progress = self._begin(account, generation)
            count = 0
            if progress.done is not None:
                count, progress = self._backlog(account, progress, stop)
            if progress.done is None and not stop.is_set():
                try:
                    count += self._news(account, progress, stop)
                except HistoryGone:
                    log.warning("mailbox.history_gone", mailbox=self._settings.name)
                    more, _ = self._backlog(account, self._begin(account, generation), stop)
                    count += more
        return count

    def _begin(self, account: Account, generation: int) -> Progress:
        """Note what is there. What comes while we look is in the history after its entry of now."""
        begun = Progress(history=account.now(), generation=generation, done=0)
        try:
            ids = account.everything(self._settings.since)
        except HistoryGone as error:
            raise Unreachable(f"mailbox {self._settings.name}: Gmail has no list of its messages") from error
        with disk.watched(self._state_file):
            write_backlog(self._state_file, ids)
            begun.write(self._state_file)
        return begun

    def _backlog(self, account: Account, progress: Progress, stop: threading.Event) -> tuple[int, Progress]:
        count, done = 0, progress.done or 0
        with disk.watched(self._state_file):
            ids = read_backlog(self._state_file)
        if ids is None:
            progress = self._begin(account, progress.generation)
            ids, done = read_backlog(self._state_file) or [], 0
        for name in ids[done:]:
            if stop.is_set():
                return count, progress
            count += self._hand_over(account, name)
            done += 1
            progress = self._reached(progress.model_copy(update={"done": done}))
        progress = self._reached(progress.model_copy(update={"done": None}))
        with disk.watched(self._state_file):
            backlog_file(self._state_file).unlink(missing_ok=True)
        return count, progress

    def _news(self, account: Account, progress: Progress, stop: threading.Event) -> int:
        count, seen = 0, set[str]()
        for step in account.since(progress.history):
            for name in step.ids:
                if stop.is_set():
                    return count
                if name not in seen:
                    count += self._hand_over(account, name)
                    seen.add(name)
            self._reached(progress.model_copy(update={"history": step.reached}))
        return count

    def _reached(self, progress: Progress) -> Progress:
        with disk.watched(self._state_file):
            progress.write(self._state_file)
        return progress

    def _hand_over(self, account: Account, name: str) -> int:
        held = self._untaken
        fetched = held[1] if held is not None and held[0] == name else account.message(name)
        if fetched is None:
            return 0
        self._untaken = name, fetched
        self._on_mail(Arrival(self._settings.name, fetched.received_at, fetched.raw, fetched.oversized))
        self._untaken = None
        self._step("watched")
        return 1
