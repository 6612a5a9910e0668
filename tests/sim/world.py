"""A seeded world in virtual time: who is next, what goes wrong, and every invariant after every step."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import NoReturn, Protocol

from local_agent import dashboard
from tests.sim import cast, hostile
from tests.sim.actors import Step
from tests.sim.breach import Breach, Died, hold
from tests.sim.cloud import Cloud
from tests.sim.effects import Door
from tests.sim.faults import NONE, Faults
from tests.sim.history import History
from tests.sim.hubs import Arbiter, HubDied, Plain
from tests.sim.local import Local
from tests.sim.outside import Outside, Signer
from tests.sim.owner import Owner
from tests.sim.recording import Recording
from vault_protocol.errors import VaultError
from vault_protocol.hub import CommitId
from vault_protocol.journal import Journal
from vault_protocol.request import Request
from vault_protocol.testing import MemoryHub, MemoryStore, TestClock
from vault_protocol.vault import Vault

SETTLES_WITHIN = (timedelta(minutes=11),) * 6 + (timedelta(hours=3),) * 12
"""Once faults stop, every task has ended or is with the owner after these rounds."""


class Actor(Protocol):
    @property
    def busy(self) -> bool: ...

    def act(self) -> None: ...

    def restart(self) -> None: ...


class World:
    """`run` takes steps, `settle` stops the faults and lets everybody finish. Both raise Breach with the seed."""

    def __init__(
        self, seed: int, *, faults: Faults | None = None, clouds: int = 0, mails: int = 12, ledgers: Path | None = None,
        arbiter: bool = False,
    ) -> None:  # fmt: skip
        """`clouds`: 2 to 4 by the seed when 0. `ledgers`: a folder for ledgers on disk; in memory without one.

        `arbiter`: the resident hub, not any git remote.
        """
        self.seed, self.faults, self.mails = seed, faults or Faults(), mails
        self.rng = Random(seed)
        self.taken = self.nested = self.letters = 0
        self.deaths: Counter[str] = Counter()
        self.clocks: list[TestClock] = []
        self.store = MemoryStore()
        self.cut_off: set[str] = set()
        self.hub: Plain = Plain(self.store, self.rng, self._hub_may_die, self._told)
        if arbiter:
            self.hub = Arbiter(self.store, self.rng, self._hub_may_die, self._told, cast.TRUST)
        self.per_hour, self.dry_run = 10, False
        self.arrived: set[str] = set()
        self.recording = Recording()
        self.seen: dict[str, Request] = {}
        """Digest → what the owner was shown."""
        self.signer = Signer()
        self.door = Door(self)
        self.outside = Outside(Random(seed + 1), lambda: self.faults, self.door.touched)
        self.local = Local(self, ledgers)
        self.history: History = History(
            self.store, self.local.clock.monotonic, lambda id_: id_ in self.signer.signed, self.local.told,
            self._dashboard_of, self.recording.became_head,
        )  # fmt: skip
        self.clouds = [Cloud(self, who) for who in cast.CLOUDS[: clouds or self.rng.randint(2, 4)]]
        self.owner = Owner(self)
        self._auditor = self._audit()

    def run(self, steps: int) -> None:
        """At least so many steps."""
        try:
            while self.taken < steps:
                self.step()
        except (Breach, VaultError, sqlite3.Error) as error:
            self._tell(error)

    def step(self) -> None:
        """One action of one actor, or of the world itself."""
        self.taken += 1
        self.choose(self._turns())()
        self.history.follow(self.hub.head)

    def settle(self) -> None:
        """Without faults and with time passing: everything ends or is with the owner, and all accounts agree."""
        try:
            self._calm()
            for passes in SETTLES_WITHIN:
                self.tick(passes)
                for cloud in self.clouds:
                    cloud.settle()
                self.local.settle()
                self.history.follow(self.hub.head)
                if not self._restless():
                    break
            hold(not self._restless(), "I7", f"nobody ends {self._restless()[:3]}")
            missing = self.arrived - set(self.history.tasks)
            hold(not missing, "I1", f"{sorted(missing)} arrived and is nowhere")
            self.door.settled()
            self.recording.judge(self.history.tasks)
        except (Breach, VaultError, sqlite3.Error) as error:
            self._tell(error)

    def choose(self, steps: list[Step]) -> Callable[[], object]:
        return self.rng.choices([do for _, do in steps], [weight for weight, _ in steps])[0]

    def others_first(self) -> None:
        """Somebody acts in between."""
        self.nested += 1
        try:
            self.step()
        finally:
            self.nested -= 1

    def may_die(self, step: str) -> None:
        chance = self.faults.die if step.endswith("swap") else self.faults.die_at_a_step
        if self.rng.random() < chance:
            self.deaths[step] += 1
            raise Died(step)

    def _hub_may_die(self, step: str) -> None:
        if self.rng.random() < self.faults.hub_dies:
            self.deaths[step] += 1
            raise HubDied(step)

    def _told(self, head: CommitId | None) -> None:
        """An event: whoever hears it has seen that head."""
        self.history.follow(head)

    def flush(self) -> None:
        """The hub carries out what waits; the judge sees each head before anybody hears of it."""
        self.hub.flush()
        self.history.follow(self.hub.head)

    def tick(self, by: timedelta) -> None:
        for clock in self.clocks:
            clock.tick(by)

    def _turns(self) -> list[Step]:
        faults = self.faults
        acting: list[Step] = [(2.0, lambda who=cloud: self.turn(who)) for cloud in self.clouds]  # type: ignore[misc]
        return [
            *acting,
            (4.0, lambda: self.turn(self.local)),
            (4.0, lambda: self.turn(self.owner)),
            (2.5, self._time),
            (faults.jump, self._jump),
            (faults.away, self._away),
            (faults.pause, self._switch),
            (faults.replay, self._replay),
            (faults.restore, self._restore),
            (faults.forge, self._forge),
            (faults.partition, self._partition),
            (faults.catch_up, self.flush),
        ]

    def turn(self, actor: Actor) -> None:
        """One action of this actor, unless it is in the middle of one."""
        if actor.busy:
            return
        local = self.local.process
        try:
            actor.act()
            return
        except Died:
            pass
        actor.restart()
        if actor is self.owner and self.rng.random() < 0.5 and not local.line.busy:
            self.local.restart()  # it was the page: it lives in the service

    def _time(self) -> None:
        self.tick(self.rng.choice([timedelta(seconds=4), timedelta(minutes=1), timedelta(minutes=4)]))

    def _jump(self) -> None:
        """A wall clock is set wrong, or right again."""
        clock = self.rng.choice(self.clocks)
        true = TestClock().now() + timedelta(seconds=clock.monotonic())
        off = self.rng.choice([timedelta(0), timedelta(minutes=20), timedelta(hours=25)]) * self.rng.choice([1, -1])
        clock.jump(true + off - clock.now())

    def _away(self) -> None:
        self.hub.away = not self.hub.away and self.rng.random() < 0.5

    def _partition(self) -> None:
        """Somebody is cut off from the hub, or one of those who are comes back: in any order."""
        if self.cut_off and self.rng.random() < 0.6:
            self.cut_off.remove(self.rng.choice(sorted(self.cut_off)))
        else:
            self.cut_off.add(self.rng.choice([*(cloud.name for cloud in self.clouds), cast.LOCAL.agent]))

    def _switch(self) -> None:
        """The owner pulls the kill switch, or lets go of it."""
        if self.local.paused():
            self.local.ledger.resume()
        elif self.rng.random() < 0.5:
            self.local.ledger.pause("lunch")
        self.dry_run = self.rng.random() < 0.2

    def _replay(self) -> None:
        try:
            self.owner.replay()
        except Died:
            self.local.restart()

    def _restore(self) -> None:
        """The owner's machine is gone; another takes over, with the keys and without the ledger."""
        if self.nested or self.hub.away:
            return
        self.local.restore()
        self.owner.restart()

    def _forge(self) -> None:
        if not self.nested:
            hostile.forge(self)

    def _calm(self) -> None:
        self.faults, self.hub.away = NONE, False
        self.cut_off.clear()
        self.flush()
        self.per_hour, self.dry_run = 10**6, False
        self.local.ledger.resume()
        for clock in self.clocks:
            clock.jump(TestClock().now() + timedelta(seconds=clock.monotonic()) - clock.now())

    def _restless(self) -> list[str]:
        """Tasks that neither ended nor wait for the owner."""
        unsure = {effect.task for effect in self.local.ledger.unknown()}
        return [
            f"{task} in {at.stage}" for task, at in self.history.tasks.items()
            if at.stage in ("Needs_Action", "In_Progress") or (at.stage == "Approved" and task not in unsure)
        ]  # fmt: skip

    def _audit(self) -> tuple[MemoryHub, Vault]:
        """Somebody else, somewhere else, at another time."""
        hub, clock = MemoryHub(self.store), TestClock()
        clock.jump(timedelta(days=400))
        return hub, Vault(Journal(self.store, hub, cast.CLOUDS[-1], clock))

    def _dashboard_of(self, commit: CommitId) -> str:
        hub, vault = self._auditor
        hub.head = commit
        vault.refresh()
        return dashboard.of_vault(vault)

    def _tell(self, error: Exception) -> NoReturn:
        """With the seed. An error that nobody of the cast expects would have stopped the agent."""
        breach = error if isinstance(error, Breach) else Breach("I7", f"an agent stops: {error!r}")
        raise Breach(breach.invariant, f"{breach.what}\n  seed {self.seed}, step {self.taken}") from error
