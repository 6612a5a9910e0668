"""state/health.json: what a health check and the person on call look at."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cloud_agent.watchers.mailbox_settings import Credential
from cloud_agent.watchers.waiting import Trouble
from drafting.budget.ledger import Spent
from vault_protocol import disk
from vault_protocol.canonical import utc
from vault_protocol.clock import Clock
from vault_protocol.errors import DiskTrouble
from vault_protocol.files import write_whole

AT_LEAST_EVERY = 10.0
"""Seconds between two writes when nothing but the time of the last step changed."""


@dataclass
class MailboxHealth:
    """One mailbox as its watcher last saw it; `reported` is what the vault was last told."""

    credential: Credential
    last_mail: datetime | None = None
    trouble: Trouble | None = None
    reported: Trouble | None = None


@dataclass
class Health:
    """Told by every thread, written whole to one file."""

    file: Path
    clock: Clock
    mailboxes: dict[str, MailboxHealth]
    hub_reachable: bool = True
    disk_ok: bool = True
    untrusted: str = ""
    """Why the hub's head is not followed; empty while it is."""
    drafter_ok: bool = True
    spending: Callable[[], Spent | None] = lambda: None
    """What was spent today on models; None without a ledger."""
    last_step: datetime | None = None
    is_written: bool = True
    """Whether the disk took it the last time."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _written: tuple[str, float] = ("", 0.0)

    @classmethod
    def of(cls, file: Path, clock: Clock, mailboxes: Mapping[str, Credential]) -> Health:
        """`mailboxes`: what opens each of them."""
        return cls(file, clock, {name: MailboxHealth(credential) for name, credential in mailboxes.items()})

    def mail(self, mailbox: str) -> None:
        """A message of this mailbox is in the vault."""
        with self._lock:
            self.mailboxes[mailbox].last_mail = self.clock.now()
        self.write()

    def trouble(self, mailbox: str, trouble: Trouble | None) -> bool:
        """What a watcher says of its mailbox; whether that is news."""
        with self._lock:
            news = self.mailboxes[mailbox].trouble is not trouble
            self.mailboxes[mailbox].trouble = trouble
        if news:
            self.write()
        return news

    def unreported(self) -> dict[str, Trouble | None]:
        """The mailboxes whose trouble began or ended since the vault was told of it."""
        with self._lock:
            return {
                name: box.trouble
                for name, box in self.mailboxes.items()
                if box.trouble is not box.reported and box.trouble is not Trouble.NOT_TAKEN
            }

    def reported(self, told: dict[str, Trouble | None]) -> None:
        with self._lock:
            for name, trouble in told.items():
                self.mailboxes[name].reported = trouble

    def step(self) -> None:
        """The worker looked at the hub, or tried to."""
        self.last_step = self.clock.now()
        self.write()

    def write(self) -> None:
        """Write what changed, at most every few seconds when it is only the time."""
        with self._lock:
            state = {
                "hub_reachable": self.hub_reachable,
                "disk_ok": self.disk_ok,
                "untrusted": self.untrusted,
                "drafter_ok": self.drafter_ok,
                "mailboxes": {
                    name: {
                        "last_mail": utc(box.last_mail) if box.last_mail else None,
                        "trouble": box.trouble.value if box.trouble else None,
                        "credential": box.credential.value,
                    }
                    for name, box in self.mailboxes.items()
                },
            }
            mark, at = json.dumps(state), self.clock.monotonic()
            if mark == self._written[0] and at - self._written[1] < AT_LEAST_EVERY:
                return
            last = utc(self.last_step) if self.last_step else None
            content = (json.dumps({"last_step": last, **state}, indent=2) + "\n").encode()
            self.is_written = False
            with suppress(DiskTrouble), disk.watched(self.file):  # its age tells whoever looks at it
                write_whole(self.file, content)
                self._written, self.is_written = (mark, at), True
