"""The watch over WhatsApp: what came in becomes tasks, and the phones stay connected."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from local_agent.assemble import Local
from local_agent.chats.arrived import task_of
from local_agent.chats.arriving import Arriving
from local_agent.chats.letters import Letters
from local_agent.chats.opening import ARRIVED
from local_agent.executor import ActingServers, ServerGone
from local_agent.whatsapp_account import WhatsAppAccount
from vault_protocol.updates import Update
from vault_protocol.vault import Also

log = structlog.get_logger()

BETWEEN = timedelta(minutes=1)
"""Between two looks whether the phones are connected."""
RAISED = 20
"""Tasks of one step, each account."""


class ChatWatch:
    """One step takes up what waits on disk; whatever a kill interrupts is found again."""

    def __init__(self, local: Local, servers: ActingServers) -> None:
        self._local, self._servers = local, servers
        self._letters, self._secret = Letters(local.home.chats), local.home.secret_bytes()
        self._due: datetime | None = None
        self._states: dict[str, str] = {}

    def step(self) -> int:
        """How many tasks were raised."""
        accounts = self._local.settings.whatsapp
        if not accounts:
            return 0
        now = self._local.clock.now()
        if self._due is None or now >= self._due:
            self._due = now + BETWEEN
            self._look()
        return sum(self._take_up(account, now) for account in accounts)

    def states(self) -> dict[str, str]:
        """Each account, `ok` or why it cannot send or be heard now."""
        return self._states

    def _look(self) -> None:
        try:
            found = self._servers.call("whatsapp", "phones_connected")
            told = found.get("result", found) if isinstance(found, dict) else {}
            self._states = {str(name): str(state) for name, state in told.items()}
        except ServerGone as error:
            self._states = {account.name: str(error) for account in self._local.settings.whatsapp}

    def _take_up(self, account: WhatsAppAccount, now: datetime) -> int:
        arriving, raised = Arriving(self._local.home.whatsapp / account.name / ARRIVED), 0
        for message in arriving.all():
            task = task_of(message, account, secret=self._secret, now=now)
            self._letters.keep(task.id, message)
            raised += self._local.vault.add(task)
            arriving.drop(message)
            if raised >= RAISED:
                break
        if raised:
            update = Update.of("chat_heard", now, account=account.name, raised=raised)
            self._local.vault.write("tell", "heard", {}, Also(updates=[update]))
            log.info("chat.heard", account=account.name, raised=raised)
        return raised
