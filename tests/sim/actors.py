"""What every actor is: a process with a line to the hub, which may die at any step and start again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.sim.cast import CANARY, LEASE, TRUST
from tests.sim.recording import Call
from vault_protocol import changeset
from vault_protocol.clock import Clock
from vault_protocol.errors import HubUnreachable
from vault_protocol.follow import View
from vault_protocol.hub import Broken, CommitId, Edits, Published, Reserved
from vault_protocol.identity import Identity
from vault_protocol.journal import Build, Journal
from vault_protocol.scan import OwnSecrets
from vault_protocol.task import Domain, Role, Task
from vault_protocol.testing import TestClock
from vault_protocol.vault import NOTHING_ELSE, Also, Vault

if TYPE_CHECKING:
    from tests.sim.world import World

Step = tuple[float, Callable[[], object]]
"""A weight and what is done."""


@dataclass
class Line:
    """One process's line to the hub: others go first, answers are lost or late, the process dies."""

    world: World
    agent: str
    busy: bool = False
    call: Call | None = None
    """What is being published."""

    def refresh(self) -> CommitId | None:
        if self.agent in self.world.cut_off:
            raise HubUnreachable(f"{self.agent} is cut off")
        return self.world.hub.refresh()

    def reserve(self, domains: Iterable[Domain], count: int) -> Reserved:
        head = self.refresh()
        return self.world.hub.set_aside(head, domains, count)

    def publish(self, commit: CommitId, *, onto: CommitId | None, exact: bool = False) -> Published:
        self.busy = True
        try:
            self._others()
            if self.call is not None:
                self.call.sent = self.world.store._commits[commit].message
            return self._sent(commit, onto, exact)
        finally:
            self.busy = False

    def _sent(self, commit: CommitId, onto: CommitId | None, exact: bool) -> Published:
        world, faults, chance = self.world, self.world.faults, self.world.rng.random
        if chance() < faults.cut or self.agent in world.cut_off:
            return Broken("cut before it was sent")
        ticket = world.hub.send(commit, onto, exact)
        world.may_die("before swap")
        if chance() < faults.late:
            return Broken("no answer in time: it may yet be carried out")
        self._others()
        world.flush()
        if chance() < faults.twice:
            ticket = world.hub.send(commit, onto, exact)
            world.flush()
        world.may_die("after swap")
        if chance() < faults.lose_answer:
            return Broken("the answer was lost")
        return ticket.answer or Broken("the hub said nothing")

    def _others(self) -> None:
        world = self.world
        if world.nested < 2 and world.rng.random() < world.faults.interleave / 2:
            world.others_first()

    def wait(self, seconds: float) -> bool:
        """Nobody waits in virtual time."""
        return True

    def close(self) -> None:
        """Nothing was opened."""


class WatchedJournal(Journal):
    """Tells the judge what its owner takes for published, and writes down what it asked for and was told."""

    world: World
    line: Line
    shown: Task | None = None
    """The task that the verb under way is about, as its caller had it."""

    def publish(self, verb: str, subject: str, build: Build, *, attempt: int = 0, exact: bool = False) -> CommitId:
        recording = self.world.recording
        with recording.call(self, verb, subject, attempt, self.shown) as call:
            self.line.call = call

            def seen(head: CommitId | None) -> Edits:
                edits = build(head)
                recording.sees(call, edits, self.read)
                return edits

            commit = super().publish(verb, subject, seen, attempt=attempt, exact=exact)
        self.world.history.believed(self.identity.agent, commit)
        return commit


class WatchedVault(Vault):
    """Says which task a verb is about, as its caller was shown it."""

    journal: WatchedJournal

    def _move(
        self, verb: str, task: Task, move: Callable[[Task], Task], also: Also = NOTHING_ELSE, *, exact: bool = False
    ) -> Task:
        self.journal.shown = task
        try:
            return super()._move(verb, task, move, also, exact=exact)
        finally:
            self.journal.shown = None


@dataclass
class Process:
    """A vault in the hands of one process, over its own line."""

    world: World
    identity: Identity
    clock: Clock

    def __post_init__(self) -> None:
        self.line = Line(self.world, self.identity.agent)
        local = self.identity.role is Role.LOCAL
        self.journal = WatchedJournal(
            self.world.store, self.line, self.identity, self.clock,
            trust=TRUST if local else None, secrets=OwnSecrets.of([CANARY]) if local else None,
            rest=lambda seconds: None,
        )  # fmt: skip
        self.journal.world, self.journal.line = self.world, self.line
        self.vault = WatchedVault(self.journal, lease=LEASE)

    def checkpoint(self) -> View:
        """What this process has on disk of how far it followed."""
        view = self.journal._follower.view
        return View(view.head, dict(view.where), dict(view.trails))

    def resume(self, found: View) -> None:
        """As a start does that finds a checkpoint."""
        self.journal._follower.view = View(found.head, dict(found.where), dict(found.trails))

    def look(self) -> None:
        """Refresh, or act on what was last seen."""
        if self.journal.head is None or self.world.rng.random() >= self.world.faults.stale:
            self.vault.refresh()


def trail_of(process: Process) -> changeset.Trail:
    return process.journal._follower.view.trails.get(process.identity.agent, changeset.Trail())


def machine_clock(world: World) -> TestClock:
    """A machine's own wall clock; the seconds pass alike for all."""
    clock = TestClock()
    world.clocks.append(clock)
    return clock
