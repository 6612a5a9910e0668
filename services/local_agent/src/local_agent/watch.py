"""The watch over the inbox: from time to time, mail that no note is about is counted and shown."""

from __future__ import annotations

import json
from datetime import datetime

import structlog

from local_agent.assemble import Local
from local_agent.mail_account import AuthFailed, MailboxUnreachable
from local_agent.reconcile import BETWEEN, LOOK_BACK, Header, Known, hidden
from vault_protocol import layout
from vault_protocol.canonical import moment
from vault_protocol.updates import Update
from vault_protocol.vault import Also

log = structlog.get_logger()


class Watch:
    """Looks every BETWEEN. `hidden` is what it found last, `trouble` why it could not look."""

    def __init__(self, local: Local) -> None:
        self._local, self._known = local, Known()
        self._looked: datetime | None = None
        self._began: datetime | None = None
        self.hidden: tuple[Header, ...] = ()
        self.trouble = ""

    def step(self) -> None:
        """Look if it is time. A change in what is hidden is a line for the dashboard."""
        now, local = self._local.clock.now(), self._local
        if self._looked is not None and now - self._looked < BETWEEN:
            return
        self._looked = now
        try:
            listed = local.inbox.since(max(now - LOOK_BACK, self._beginning()))
            ids, hashes = self._known.of(local.vault.journal)
            found = hidden(listed, ids, hashes, local.inbox.raw, now=now)
            self.trouble = ""
        except (AuthFailed, MailboxUnreachable) as error:
            self.trouble = str(error)
            return
        if {header.uid for header in found} != {header.uid for header in self.hidden}:
            log.warning("inbox.hidden", count=len(found))
            update = Update.of("mail_without_a_note", now, count=len(found))
            local.vault.write("tell", "hidden mail", {}, Also(updates=[update]))
        self.hidden = found

    def _beginning(self) -> datetime:
        """When the vault began: older mail is nobody's task. A new root begins the line again, not the vault."""
        journal = self._local.vault.journal
        if self._began is None and journal.head is not None:
            try:
                self._began = moment(json.loads(journal.read(layout.VAULT_CARD) or b"")["created"])
            except (ValueError, KeyError, TypeError):
                self._began = journal.store.history(None, journal.head)[0].at
        return self._began or self._local.clock.now()
