"""How long a watcher waits after a failure, and what ends the wait before its time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

import structlog

from cloud_agent.watchers.mailbox_settings import GmailSettings, MailboxSettings
from cloud_agent.watchers.way_out import connected

log = structlog.get_logger()

LOOK = 0.5
"""Seconds between two looks whether a wait should end."""

KNOCK = 2.0
"""Seconds between two tries to connect to a server that did not answer: no login, so nobody counts them."""


class Trouble(StrEnum):
    """Why a mailbox is not being watched."""

    AUTH = "auth"
    FOLDER = "folder"
    UNREACHABLE = "unreachable"
    NOT_TAKEN = "not_taken"
    """The mailbox is fine, but what came from it finds no place now: the hub is away, or a disk is full."""


@dataclass(frozen=True)
class Backoff:
    """Growing, jittered, bounded pauses; what a person must mend is only tried every `paused` seconds, what the server
    has no part in every `untaken` at least."""

    first: float = 1.0
    longest: float = 60.0
    untaken: float = 5.0
    paused: float = 900.0
    jitter: Callable[[], float] = field(default=random.random)

    def seconds(self, trouble: Trouble, failures: int) -> float:
        """How long to wait after this many failures in a row (1, 2, …)."""
        if trouble in (Trouble.AUTH, Trouble.FOLDER):
            whole = self.paused
        else:
            longest = self.untaken if trouble is Trouble.NOT_TAKEN else self.longest
            whole = min(longest, self.first * 2.0 ** min(failures - 1, 30))
        return whole * (0.5 + self.jitter() / 2)


def wait(
    seconds: float, *, stop: threading.Event, again: threading.Event, back: Callable[[], bool] | None = None
) -> None:
    """Until the time is over, or `stop` or `again` is set (`again` is cleared), or `back`, which said no at first,
    says yes."""
    ends, knock = time.monotonic() + seconds, time.monotonic() + KNOCK
    if back is not None and back():
        back = None
    while not stop.is_set() and (left := ends - time.monotonic()) > 0:
        if again.wait(min(left, LOOK)):
            again.clear()
            return
        if back is not None and time.monotonic() >= knock:
            knock = time.monotonic() + KNOCK
            if back():
                return


def answers(settings: MailboxSettings | GmailSettings) -> bool:
    """Whether somebody listens where this mailbox's server should."""
    with suppress(OSError), connected(settings, min(5.0, settings.timeout_seconds)):
        return True
    return False


class Patience:
    """The pauses of one watcher: it says why, and another thread can end them."""

    def __init__(
        self, settings: MailboxSettings | GmailSettings, backoff: Backoff, on_trouble: Callable[[Trouble, str], None]
    ) -> None:
        self._settings, self._backoff, self._on_trouble = settings, backoff, on_trouble
        self.called = threading.Event()
        """Set by `again`."""

    def again(self) -> None:
        """What stood in the way may be gone: do not wait any longer. Callable from another thread."""
        self.called.set()

    def pause(
        self, trouble: Trouble, detail: str, failures: int, stop: threading.Event, *, asked: float | None = None
    ) -> None:
        """`asked`: the server answers, and wants to be left alone for that many seconds at least."""
        if stop.is_set():
            return
        seconds = max(self._backoff.seconds(trouble, failures), asked or 0.0)
        ours = {"reason": detail} if trouble is Trouble.NOT_TAKEN else {}  # what a server says may hold an address
        log.warning("mailbox.trouble", mailbox=self._settings.name, trouble=trouble, retry_in=round(seconds, 1), **ours)
        self._on_trouble(trouble, detail)
        knocks = trouble is Trouble.UNREACHABLE and asked is None
        wait(seconds, stop=stop, again=self.called, back=partial(answers, self._settings) if knocks else None)
