"""The watch over our accounts: from time to time what others wrote is read, and becomes tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from local_agent.aside import Aside, aside
from local_agent.assemble import Local
from local_agent.heard import id_of, task_of
from local_agent.networks.account import SocialAccount
from local_agent.networks.network import AnswerLost, Network, NotPublished, Said
from local_agent.networks.opening import open_network
from vault_protocol.updates import Update
from vault_protocol.vault import Also

log = structlog.get_logger()

BETWEEN = timedelta(minutes=10)
LOOK_BACK = timedelta(days=3)
"""How old what is read may be: a machine that slept over a weekend misses nothing."""
MOST = 100
RAISED = 20
"""Tasks of one look at one account; the others are raised by the next ones, the oldest first."""


@dataclass
class _Eye:
    """One account: when it is looked at next, what was asked and not answered yet, and what is wrong with it."""

    account: SocialAccount
    due: datetime
    looking: Future[Sequence[Said]] | None = None
    trouble: str = ""


class SocialWatch:
    """A step never waits for a network: what was asked for in one step is taken up by a later one."""

    def __init__(
        self, local: Local, open_: Callable[[SocialAccount], Network] = open_network, aside: Aside = aside
    ) -> None:
        self._local, self._open, self._aside = local, open_, aside
        self._secret = local.home.secret_bytes()
        self._eyes = [_Eye(one, local.clock.now()) for one in local.settings.social if one.read]

    def step(self) -> int:
        """How many tasks were raised."""
        return sum(self._step(eye) for eye in self._eyes)

    def troubles(self) -> dict[str, str]:
        """Each account that is read, and why that does not work; empty when it does."""
        return {eye.account.name: eye.trouble for eye in self._eyes}

    def _step(self, eye: _Eye) -> int:
        now = self._local.clock.now()
        if eye.looking is None and now >= eye.due:
            eye.due = now + BETWEEN
            eye.looking = self._aside(lambda: self._look(eye, now))
        if eye.looking is None or not eye.looking.done():
            return 0
        looked, eye.looking = eye.looking, None
        try:
            found = looked.result()
        except (NotPublished, AnswerLost) as error:
            if not eye.trouble:
                log.warning("social.unreadable", account=eye.account.name)
            eye.trouble = str(error)
            return 0
        eye.trouble = ""
        return self._raise(eye.account, found, now)

    def _look(self, eye: _Eye, now: datetime) -> Sequence[Said]:
        network = self._open(eye.account)
        try:
            return network.said(since=now - LOOK_BACK, most=MOST)
        finally:
            network.close()

    def _raise(self, account: SocialAccount, found: Sequence[Said], now: datetime) -> int:
        where = self._local.vault.journal.where
        fresh = [one for one in found if one.id and id_of(self._secret, account.name, one.id) not in where]
        raised = 0
        for said in sorted(fresh, key=lambda one: one.at)[:RAISED]:
            raised += self._local.vault.add(task_of(said, account, secret=self._secret, now=now))
        if raised:
            left = len(fresh) - raised
            update = Update.of("social_heard", now, account=account.name, raised=raised, left=left)
            self._local.vault.write("tell", "heard", {}, Also(updates=[update]))
            log.info("social.heard", account=account.name, raised=raised, left=left)
        return raised
