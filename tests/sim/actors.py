"""What every actor is: a process with a line to the hub, which may die at any step and start again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.sim.cast import CANARY, LEASE, TRUST
from tests.sim.recording import RecordedJournal, RecordedVault
from vault_protocol import changeset
from vault_protocol.clock import Clock
from vault_protocol.errors import HubUnreachable
from vault_protocol.follow import View
from vault_protocol.hub import Broken, CommitId, Published, Reserved
from vault_protocol.identity import Identity
from vault_protocol.journal import Build
from vault_protocol.scan import OwnSecrets
from vault_protocol.task import Domain, Role
from vault_protocol.testing import TestClock

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


class WatchedJournal(RecordedJournal):
    """Tells the judge too what its owner takes for published."""

    world: World
    line: Line

    def publish(self, verb: str, subject: str, build: Build, *, attempt: int = 0, exact: bool = False) -> CommitId:
        commit = super().publish(verb, subject, build, attempt=attempt, exact=exact)
        self.world.history.believed(self.identity.agent, commit)
        return commit


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
        self.journal.recording = self.world.recording
        self.vault = RecordedVault(self.journal, lease=LEASE)

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
