"""What Local does by itself between the owner's decisions: what follows from acts, statements, the briefing."""

from __future__ import annotations

from collections.abc import Callable

from local_agent.approvals.snoozing import Snoozed
from local_agent.assemble import Local, original_finder, own_secrets
from local_agent.attachments import Attachments
from local_agent.chats.answering import Answering, offline
from local_agent.chats.letters import Letters
from local_agent.chats.watch import ChatWatch
from local_agent.executor import ActingServers
from local_agent.follow_ups import FollowUps
from local_agent.forwarding import Forwarding
from local_agent.forwards import Forwards
from local_agent.matched_payments import MatchedPayments
from local_agent.notify.notifier import Notifier
from local_agent.notify.ways import Around, way
from local_agent.printing import printed
from local_agent.rotation import Reminder
from local_agent.social_watch import SocialWatch
from local_agent.social_week import SocialWeek
from local_agent.statements import Statements
from local_agent.weekly import Weekly
from vault_protocol.parts import Parts
from vault_protocol.task import Stage


class Chores:
    """One step does each once: what the books ask for when there are books, the accounts when there are accounts."""

    def __init__(self, local: Local, servers: ActingServers, parts: Parts) -> None:
        self._parts = parts
        self._reminder = Reminder(local.home, local.settings, local.vault)
        self._chats = ChatWatch(local, servers)
        self._answering = Answering(local.vault, local.settings, Letters(local.home.chats), offline)
        self._forwarding = Forwarding(
            local.vault, local.settings, Forwards(local.home.forwards), Attachments(local.home.attachments),
            original_finder(local.home, local.settings),
            lambda content: own_secrets(local.home, local.settings).found_in(content),
        )  # fmt: skip
        self._social = SocialWatch(local)
        self._social_week = SocialWeek(local)
        self._local = local
        around = Around(local.home.credentials.get, local.settings.account, local.clock.now)
        self._notifier = Notifier(
            local.settings.notify, lambda one: way(one, around), local.home.notified, local.clock.now
        )
        self._acts: tuple[Callable[[], object], ...] = (
            self._notify, self._no_longer_snoozed, self._reminder.step, self._chats.step, self._answering.step,
            self._forwarding.step, self._social.step, self._social_week.step,
        )  # fmt: skip
        if local.settings.books:
            self._acts += self._of_the_books(local, servers)

    def _of_the_books(self, local: Local, servers: ActingServers) -> tuple[Callable[[], object], ...]:
        home, settings = local.home, local.settings
        follow_ups = FollowUps(
            local.vault, settings, Attachments(home.attachments), original_finder(home, settings), printed(servers),
            local.books.open, local.books, local.transfers, home.secret_bytes(),
        )  # fmt: skip
        statements = Statements(
            local.vault, home.dropped, local.books.open, settings.books[0].name, home.secret_bytes()
        )
        payments = MatchedPayments(local.vault, local.books.open, local.books, home.secret_bytes())
        return follow_ups.step, statements.step, payments.step, Weekly(local).step

    def step(self) -> None:
        """What a rule refuses of one is told and keeps no other from its work; what an outside does not answer is put
        off. Raises what hub, head and disk say."""
        for act in self._acts:
            self._parts.attempt(act)

    def _notify(self) -> None:
        if self._local.settings.notify:
            self._notifier.step(self._waiting())

    def _no_longer_snoozed(self) -> None:
        Snoozed(self._local.vault, self._local.clock).clear()

    def social_troubles(self) -> dict[str, str]:
        """Each social account that is read, and why that does not work; empty when it does."""
        return self._social.troubles()

    def notify_troubles(self) -> dict[str, str]:
        """Each way of telling the owner that something waits, and why it does not reach them; empty when it does."""
        return self._notifier.troubles()

    def _waiting(self) -> dict[str, str]:
        """What waits for the owner and is not put off: `TASK.REVISION` to its subject."""
        snoozed = Snoozed(self._local.vault, self._local.clock)
        return {
            f"{task.id}.{task.revision}": task.note.front.words("subject")
            for task in self._local.vault.tasks(Stage.PENDING_APPROVAL)
            if snoozed.until(task) is None
        }

    def phones(self) -> dict[str, str]:
        """Each WhatsApp account, `ok` or why it cannot send or be heard now."""
        return self._chats.states()
