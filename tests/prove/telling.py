"""One agent at a running hub that does whatever an agent may do, and writes down what it asked for and was told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random

from libs.vault_protocol.tests import claimer, made

from tests.sim import reading
from tests.sim.recording import RecordedJournal, RecordedVault, Recording, state
from tests.sim.specification import Operation
from vault_protocol import request
from vault_protocol.clock import SystemClock
from vault_protocol.errors import (
    ClaimLost,
    HubUnreachable,
    MalformedNote,
    NoSuchTask,
    Refused,
    StaleRevision,
    UntrustedHead,
)
from vault_protocol.follow import Trust
from vault_protocol.hub import Accepted, CommitId, MovedOn, Published, Reserved
from vault_protocol.hub_client import HubClient
from vault_protocol.journal import Journal
from vault_protocol.store import GitStore
from vault_protocol.task import Domain, Stage, Task

LEASE = timedelta(seconds=2)
TASKS = 16
OWNER = claimer.ADDER.agent
PATIENCE = 60.0
"""Seconds an agent goes on asking a hub that does not answer."""


class Told(Recording):
    """Times are nanoseconds of the clock that all processes of a machine share."""

    def tick(self) -> int:
        return time.monotonic_ns()

    def knew(self, journal: Journal) -> int:
        """The head that it last saw was the head at some time after it began to ask for it."""
        return journal.hub.since if isinstance(journal.hub, Line) else 0


class Line(HubClient):
    """Notes when the call began that was last answered with a head."""

    since = 0

    def refresh(self) -> CommitId | None:
        begun = time.monotonic_ns()
        head = super().refresh()
        self.since = begun
        return head

    def publish(self, commit: CommitId, *, onto: CommitId | None, exact: bool = False) -> Published:
        begun = time.monotonic_ns()
        answer = super().publish(commit, onto=onto, exact=exact)
        if isinstance(answer, Accepted | MovedOn):
            self.since = begun
        return answer

    def reserve(self, domains: Iterable[Domain], count: int) -> Reserved:
        begun = time.monotonic_ns()
        found = super().reserve(domains, count)
        self.since = begun
        return found


class Actor:
    """An agent with its own clone and its own chance."""

    def __init__(self, folder: Path, url: str, name: str, seed: int, trust: Trust | None) -> None:
        self.name, self.chance = name, Random(f"{seed} {name}")
        self._folder, self._url, self._trust = folder, url, trust
        self.recording, self.done = Told(), 0
        self._new = list(range(TASKS)) if name == OWNER else []
        self.begin()

    def begin(self) -> None:
        """On an empty clone."""
        home = self._folder / f"{self.name}-{self.recording.tick()}.git"
        store, token = GitStore(home), (self._folder / f"{self.name}.token").read_text(encoding="ascii")
        self.hub = Line(store, self._url, token, timeout=10)
        who = claimer.AGENTS.get(self.name, claimer.ADDER)
        self.journal = RecordedJournal(store, self.hub, who, SystemClock(), trust=self._trust)
        self.journal.recording = self.recording
        self.vault = RecordedVault(self.journal, lease=LEASE)
        self.held: list[Task] = []

    def act(self) -> None:
        """One thing, decided on by chance. A refusal is an answer; no answer is written down as none."""
        acts = self._decisions() if self.name == OWNER else self._work()
        before = self.recording.operations
        do = self.chance.choices([act for _, act in acts], [weight for weight, _ in acts])[0]
        with suppress(ClaimLost, StaleRevision, NoSuchTask, MalformedNote):
            try:
                do()
            except Refused as refused:
                if refused.rule != "lease" and self._trust is not None:  # by the hub's clock it runs still
                    raise
        self.done += self.recording.operations > before

    def look(self) -> None:
        """Ask the hub, and read some tasks where it says that they are: all of them, if it may lie."""
        begun = self.recording.tick()
        self.vault.refresh()
        ended = self.recording.tick()
        there = sorted(self.journal.where.items())
        for task, path in there if self._trust is None else self.chance.sample(there, min(3, len(there))):
            content = self.journal.read(path)
            assert content is not None
            seen = Operation(
                verb="read", agent=self.name, begin=begun, end=ended, answer=state(reading.standing(path, content))
            )  # fmt: skip
            self.recording.tasks[task].append(seen)

    def _work(self) -> list[tuple[float, Callable[[], object]]]:
        acts: list[tuple[float, Callable[[], object]]] = [
            (3, self.look), (3, self._claim), (1, self.vault.reap), (0.5, self._add), (0.3, self._set_aside),
        ]  # fmt: skip
        if self.held:
            acts += [(2, self._renew), (2, self._release), (3, self._submit), (0.3, self._close), (0.5, self._forget)]
        return acts

    def _decisions(self) -> list[tuple[float, Callable[[], object]]]:
        if self._new:
            return [(1, self._bring)]
        return [
            (2, self.look), (1, self._add), (4, self._decided("send_back")), (1, self._decided("reject")),
            (1, self._approve), (1, self._decided("finish")),
        ]  # fmt: skip

    def _add(self) -> None:
        self.vault.add(made.task(self.chance.randrange(TASKS)))

    def _bring(self) -> None:
        self.vault.add(made.task(self._new[-1]))
        self._new.pop()

    def _claim(self) -> None:
        self.held += self.vault.claim(Domain, self.chance.randint(1, 3))

    def _taken(self) -> Task:
        return self.held.pop(self.chance.randrange(len(self.held)))

    def _renew(self) -> None:
        self.held.append(self.vault.renew(self._taken()))

    def _release(self) -> None:
        self.vault.release(self._taken())

    def _submit(self) -> None:
        held = self._taken()
        self.vault.submit(held, request.put(request.take_out(held.note), request.Request(made.TOKEN, made.mail())))

    def _close(self) -> None:
        held = self._taken()
        if not held.revision:
            self.vault.close(held, held.note)

    def _forget(self) -> None:
        """Its lease runs out, and somebody reaps it."""
        self._taken()

    def _set_aside(self) -> None:
        waiting = list(self.vault.tasks(Stage.NEEDS_ACTION))
        if waiting:
            self.vault.quarantine(self.chance.choice(waiting), reason="by chance")

    def _approve(self) -> None:
        asks = [task for task in self.vault.tasks(Stage.PENDING_APPROVAL) if task.has_action]
        if asks:
            task = self.chance.choice(asks)
            self.vault.approve(task, made.approved(task))

    def _decided(self, verb: str) -> Callable[[], None]:
        sources, how = _DECISIONS[verb]

        def decide() -> None:
            if tasks := list(self.vault.tasks(*sources)):
                getattr(self.vault, verb)(self.chance.choice(tasks), **how)

        return decide


_DECISIONS: dict[str, tuple[tuple[Stage, ...], dict[str, object]]] = {
    "send_back": ((Stage.PENDING_APPROVAL, Stage.REJECTED, Stage.QUARANTINE), {"remark": "again, please"}),
    "reject": ((Stage.PENDING_APPROVAL,), {"why": "no"}),
    "finish": ((Stage.APPROVED,), {"result": "sent"}),
}


def run(folder: Path, url: str, name: str, seed: int, acts: int, *, trusting: bool = False) -> Recording:
    """So many acts that the hub was asked about and answered. `trusting`: it judges no commit, and where it sees
    another line than before it begins anew.

    Raises UntrustedHead when the hub shows what may not be, HubUnreachable when it stays away.
    """
    actor = Actor(folder, url, name, seed, None if trusting else claimer.TRUST)
    answered = time.monotonic()
    while actor.done < acts:
        try:
            actor.act()
            answered = time.monotonic()
        except HubUnreachable:
            actor.held = []  # which of them it holds it no longer knows
            if time.monotonic() - answered > PATIENCE:
                raise
            time.sleep(0.02)
        except UntrustedHead:
            if not trusting:
                raise
            actor.hub.close()
            actor.begin()
    actor.hub.close()
    return actor.recording
