"""The running half of Local: mirrors, judges, writes the dashboard, executes. One step does each once."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import structlog

from local_agent import dashboard
from local_agent.assemble import Local, own_secrets
from local_agent.chores import Chores
from local_agent.effects import Ledger
from local_agent.executor import ActingServers, Executor
from local_agent.folder import Folder
from local_agent.follow_up import follow_up
from local_agent.hold import hold_effects
from local_agent.kinds import KINDS
from local_agent.life import SignsOfLife, Silence, tell, untold
from local_agent.presence import Presence
from local_agent.receipts import stop_if_old
from local_agent.rerooting import write_down
from local_agent.shown import Shown
from local_agent.signals import apply_signals
from local_agent.taking import Taking
from local_agent.watch import Watch
from vault_protocol import disk, layout, plain, request
from vault_protocol.approval import Sign
from vault_protocol.canonical import utc
from vault_protocol.errors import (
    DiskTrouble,
    HubUnreachable,
    MalformedNote,
    StaleRevision,
    UntrustedHead,
    VaultError,
)
from vault_protocol.files import write_private
from vault_protocol.hub import CommitId
from vault_protocol.mirror import Mirror
from vault_protocol.parts import Parts
from vault_protocol.plain import one_line
from vault_protocol.task import Stage, Task
from vault_protocol.vault import Also

log = structlog.get_logger()

LOOK_FOR_ORIGINALS = timedelta(minutes=1)
"""Between two tries to read an original that could not be read."""

LOOK_ROUND, LONGEST_ROUND = 30, 30.0
"""Polls, and seconds, after which it looks round although neither the folder nor the hub moved."""

BACK_OFF = (1.0, 60.0)
"""Seconds between two tries to reach the hub: at first, and at most."""


class Service:
    """One owner's Local. `step` raises for no hub that is away, no head that is not to be trusted, no full disk."""

    def __init__(
        self, local: Local, server: ActingServers, sign: Sign, *, step: Callable[[str], None] = lambda name: None,
        presence: Presence | None = None, moved: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`step` is told the name of each step between approval and Done as it is passed, `presence` that we work,
        `moved` when anything is otherwise than before."""
        self._moved = moved
        self.local = local
        self.mirror = Mirror(
            local.settings.folder, local.store, local.home.mirror_base, local.clock,
            quick=self._quick, secrets=own_secrets(local.home, local.settings),
            settle=local.settings.settle_seconds,
        )  # fmt: skip
        secret = local.home.secret_bytes()
        self.executor = Executor(
            local.vault, server, local.clock, local.executor, step,
            follow=lambda task, asked, result: follow_up(
                task, asked, number=result.facts.get("number", ""), secret=secret
            ),
        )  # fmt: skip
        self._notices: deque[tuple[str, str, str]] = deque(maxlen=30)
        self._parts = Parts(self._left_out)
        self._chores = Chores(local, server, self._parts)
        self._folder = Folder(local, self.mirror, sign, self._notice)
        self._agents = local.home.cloud_agents(local.settings.vault)
        after = timedelta(minutes=local.settings.alarm_minutes)
        self._life = SignsOfLife(local.home.heard, local.clock, self._agents, after)
        self._silences: tuple[Silence, ...] = ()
        self._taking = Taking(local.clock)
        local.vault.journal.answered = self._taking.heard
        self._shown = Shown(local)
        self._hub_trouble = self._untrusted = ""
        self.disk_trouble = ""
        """What the last step could not write, in words for the owner."""
        self._looked_for: dict[str, datetime] = {}
        self._watch = Watch(local)
        self._presence = presence
        self._hurry = threading.Event()
        self._ledger_is_current = False
        self._last_status = b""
        self._generation = -1
        self._handbook_of, self._handbook = "", b""
        self._unread_limits: tuple[str, ...] = ()
        if local.checkpoint.doubt:
            self._notice("", local.checkpoint.doubt)

    def step(self) -> None:
        """Follow the hub, carry out what the owner did, execute what they approved, show it all in the folder."""
        before = self.disk_trouble
        trouble = self._without_room(self._step)
        told = self._without_room(partial(self._write_status, trouble))
        self.disk_trouble = trouble or told  # until here it was that of before: others ask while a step runs
        if self._presence is not None:
            self._presence.stepped(self.local.vault)
        if self.disk_trouble != before:
            log.error("disk.trouble", reason=self.disk_trouble) if self.disk_trouble else log.info("disk.well")

    def _without_room(self, act: Callable[[], None]) -> str:
        """Why it found no room, or nothing. A later step does it: nothing is half done, and nothing is lost."""
        try:
            with disk.watched(self.local.home.path):
                act()
        except DiskTrouble as error:
            return str(error)
        return ""

    def _step(self) -> None:
        journal = self.local.vault.journal
        try:
            self._follow_and_show()
        except BaseException:
            with suppress(OSError, DiskTrouble):  # what went wrong first is told
                journal.save()
            raise
        journal.save()

    def _follow_and_show(self) -> None:
        """How far it followed is on disk after what it shows, and before it publishes or executes anything."""
        following = False
        try:
            following = self._follow() and self._worked()
        finally:  # whatever became of it: a silence is a matter of time alone
            self._taking.settle()
            self._silences = self._life.silences(following=following, refusal=self._taking.refusal)
        head = self.local.vault.journal.head
        if head is not None:
            for item in self.mirror.apply(self._shown.at(head, self._alarms())):
                act = partial(self._folder.act, item)
                self._attempt(partial(self._parts.attempt, act))

    def wait(self, limit: float) -> None:
        """Until the folder or the hub moves, something settles, or an effect is due; `limit` seconds at most."""
        if self.disk_trouble:
            self.mirror.changed.clear()  # nobody may have looked at what changed; the next step does
        due = self.executor.next_due()
        waits = [limit]
        settles = self.mirror.settled_in()
        if settles is not None:
            waits.append(settles)
        if due is not None:
            waits.append(max(0.05, (due - self.local.clock.now()).total_seconds()))
        self.mirror.changed.wait(min(waits))

    def hurry(self) -> None:
        """Look again now, also at what was put off; callable from another thread."""
        self._hurry.set()
        self.mirror.changed.set()

    @property
    def in_trouble(self) -> bool:
        """Whether the hub or a disk keeps it from its work."""
        return bool(self._hub_trouble or self.disk_trouble)

    def close(self) -> None:
        self.mirror.close()

    def _follow(self) -> bool:
        """Whether there is a head to work on, and the hub to publish to."""
        try:
            head = self.local.vault.refresh(later=True)
            self._life.answered()
            self._untrusted = self._hub_trouble = ""
            return head is not None
        except HubUnreachable as error:
            if not self._hub_trouble:
                log.warning("hub.unreachable")
            self._hub_trouble = str(error)
        except UntrustedHead as error:
            self._life.answered()
            self._distrust(error)
        return False

    def _worked(self) -> bool:
        """Whether the head is still one to work on."""
        try:
            self._work()
            self._hub_trouble = ""
            self._life.took()
        except HubUnreachable as error:
            self._hub_trouble = str(error)
            self._life.denied()
        except UntrustedHead as error:
            self._distrust(error)
            return False
        return True

    def _work(self) -> None:
        vault = self.local.vault
        head = self._head()
        if vault.journal.generation != self._generation:
            write_down(vault)
            self._generation = vault.journal.generation
        attempt = self._parts.attempt
        attempt(self._hear)
        self._keep_handbook(head)
        attempt(partial(apply_signals, vault))
        with self.local.judge.together():
            attempt(self._check_drafts)
        for item in self.mirror.look(head):
            attempt(partial(self._folder.act, item))
        attempt(vault.reap)
        if not self._ledger_is_current:
            stop_if_old(Ledger(self.local.home.ledger), vault.journal, self.local.executor)
            self._ledger_is_current = True
        if self._hurry.is_set():
            self._hurry.clear()
            self.executor.look_again()
        if any(vault.tasks(Stage.APPROVED)):
            vault.journal.save()
        attempt(self.executor.step)
        self._chores.step()
        attempt(self._watch.step)
        attempt(partial(dashboard.write, vault))
        self._taking.test(vault.journal)

    def _hear(self) -> None:
        """What an agent's silence changes is a line for the dashboard, and a test whether the hub still takes one."""
        journal = self.local.vault.journal
        self._life.hear(journal)
        tell(journal, self._life.silent_agents(), self._agents)

    def _keep_handbook(self, head: CommitId) -> None:
        """For the servers, which count by its limits."""
        if head != self._handbook_of:
            text = self.local.vault.journal.read(layout.HANDBOOK) or b""
            if not self.local.home.handbook.exists() or self.local.home.handbook.read_bytes() != text:
                write_private(self.local.home.handbook, text)
            if text != self._handbook or not self._handbook_of:
                self._handbook, self._unread_limits = text, self.local.home.limits().unread
            self._handbook_of = head

    def _alarms(self) -> tuple[str, ...]:
        """What the vault cannot say, or the hub kept us from saying: a head not to be trusted, a silence, a limit that
        is none."""
        untrusted = (f"DANGER: {self._untrusted}. Nothing is sent.",) if self._untrusted else ()
        unread = tuple(
            f"The row {plain.one_line(row)} below Limits in Company_Handbook.md is not understood: it limits nothing"
            for row in self._unread_limits
        )
        return (*untrusted, *unread, *(one.words() for one in untold(self.local.vault.journal, self._silences)))

    def _head(self) -> CommitId:
        head = self.local.vault.journal.head
        if head is None:
            raise HubUnreachable("the vault is empty; run `countersign init`")
        return head

    def _check_drafts(self) -> None:
        """Read the original of each new draft; set aside a draft that does not parse. A revision never changes."""
        vault, judge, now = self.local.vault, self.local.judge, self.local.clock.now()
        for task in tuple(vault.tasks(Stage.PENDING_APPROVAL)):
            mark = f"{task.id}.{task.revision}"
            again = now - self._looked_for.get(mark, now) >= LOOK_FOR_ORIGINALS
            if mark in self._looked_for and not again:
                continue
            try:
                request.read(task.note)
            except MalformedNote as error:
                with suppress(StaleRevision):  # a command of the owner was first
                    vault.quarantine(task, reason=error.reason, also=Also())
                continue
            self._looked_for[mark] = now
            check = judge.check(task, again=again)
            log.info("draft.checked", task=task.id, original=check.original, mismatches=len(check.mismatches))

    def _quick(self, task: Task) -> str | None:
        """Why a file move may not decide this task; None when it may."""
        if not task.has_action:
            return None
        kind = KINDS.get(task.note.front.words("action"))
        if kind is None or not kind.by_file:
            return "this is never decided by moving a file" if kind else "nothing here can do what it asks for"
        check = self.local.judge.check(task, again=True)  # the mailbox may have been away when it was looked at first
        return None if check.quick else check.why_not()

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except HubUnreachable as error:
            self._hub_trouble = str(error)
        except UntrustedHead as error:
            self._distrust(error)

    def _distrust(self, error: UntrustedHead) -> None:
        if hold_effects(self.local.home, error):
            self._notice("", f"effects are paused: {error.reason}")
        if self._untrusted != str(error):
            log.error("head.untrusted", commit=error.commit[:12], reason=error.reason)
        self._untrusted = str(error)

    def _left_out(self, error: VaultError) -> None:
        """Told once for each rule and path: what it would have written was not."""
        self._notice(getattr(error, "path", ""), f"left out: {one_line(str(error), 300)}")

    def _notice(self, path: str, words: str) -> None:
        log.warning("owner.notice", path=path)
        self._notices.append((utc(self.local.clock.now()), path, words))

    def _write_status(self, trouble: str) -> None:
        """What `countersign status` shows of a running service; private, and never synced."""
        head, refusal = self.local.vault.journal.head, self._taking.refusal
        refused = refusal.words() if refusal else ""
        content = json.dumps(
            {
                "head": head, "hub": self._hub_trouble or refused or "ok", "refused": refused,
                "untrusted": self._untrusted,
                "disk": trouble or "ok",
                "unsynced": [[found.path, found.reason] for found in self.mirror.unsynced()],
                "waiting": {
                    task.id: self.executor.waiting_for(task) for task in self.local.vault.tasks(Stage.APPROVED)
                },
                "notices": list(self._notices),
                "hidden_mail": [[found.message_id, utc(found.received)] for found in self._watch.hidden],
                "inbox": self._watch.trouble or "ok",
                "social": self._chores.social_troubles(), "whatsapp": self._chores.phones(),
                "notify": self._chores.notify_troubles(),
                "silences": [[one.kind.value, one.agent, utc(one.since), one.words()] for one in self._silences],
            },
            indent=1,
        ).encode("utf-8")  # fmt: skip
        if content != self._last_status:
            write_private(self.local.home.status, content)
            self._last_status = content
            self._moved()


def run(service: Service, stop: threading.Event, look_again: threading.Event) -> None:
    """Step until told to stop. Three more threads only wait: for the hub, for somebody who sets `look_again`, and for
    the end."""
    hub, poll = service.local.vault.journal.hub, service.local.settings.poll_seconds
    look_round = min(poll * LOOK_ROUND, LONGEST_ROUND)
    try:
        service.mirror.watch()
    except OSError as error:
        log.warning("folder.unwatched", reason=str(error))
        look_round = poll  # every step looks at all of it then

    def follow() -> None:
        while not stop.is_set():
            if hub.wait(poll):
                service.mirror.changed.set()

    def hear() -> None:
        while look_again.wait():
            look_again.clear()
            service.hurry()

    ended = threading.Event()

    def end() -> None:
        stop.wait()
        while not ended.wait(0.05):  # a step that was under way may have taken the word for news
            service.mirror.changed.set()

    for name, waiting in (("hub-wait", follow), ("control-wait", hear), ("end-wait", end)):
        threading.Thread(target=waiting, name=name, daemon=True).start()
    away = 0
    try:
        while not stop.is_set():
            service.step()
            away = away + 1 if service.in_trouble else 0
            service.wait(min(BACK_OFF[0] * 2 ** min(away, 6), BACK_OFF[1]) if away else look_round)
    finally:
        ended.set()
