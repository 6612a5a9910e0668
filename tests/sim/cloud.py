"""A cloud agent: watches, claims, drafts, withdraws, and now and then writes what it should not or too late."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tests.sim import cast
from tests.sim.actors import Process, Step, machine_clock
from tests.sim.breach import hold
from vault_protocol import layout
from vault_protocol.audit import Record
from vault_protocol.errors import ClaimLost, HubUnreachable, Refused, StaleRevision
from vault_protocol.follow import View
from vault_protocol.identity import Identity
from vault_protocol.note import Note
from vault_protocol.task import Domain, Stage, Task
from vault_protocol.updates import Update
from vault_protocol.vault import Also

if TYPE_CHECKING:
    from tests.sim.world import World

GARBAGE = b"---\nid: [\nno note\n"


class Cloud:
    """`held` is what it remembers to hold: some of it is no longer true."""

    def __init__(self, world: World, identity: Identity) -> None:
        self.world, self.identity, self.clock = world, identity, machine_clock(world)
        self.gone = 0
        """Turns for which it does not run."""
        self._start(View())

    @property
    def name(self) -> str:
        return self.identity.agent

    @property
    def busy(self) -> bool:
        return self.process.line.busy

    def _start(self, found: View) -> None:
        self.process = Process(self.world, self.identity, self.clock)
        self.process.resume(found)
        self.vault = self.process.vault
        self.held: list[Task] = []

    def restart(self) -> None:
        self._start(self.process.checkpoint())

    def steps(self) -> list[Step]:
        return [
            (1.5, self.watch),
            (2.0, self.claim),
            (4.0 if self.held else 0.2, self.work),
            (0.3, self.withdraw),
            (0.5, self.vault.reap),
            (0.15, self.let_go),
            (0.1, self.set_aside),
            (0.4, self.tell),
            (0.05, self.drain),
        ]

    def act(self) -> None:
        """One step, chosen by chance."""
        if self.gone:
            self.gone -= 1
            return
        try:
            self.process.look()
            self.world.choose(self.steps())()
        except (ClaimLost, HubUnreachable):
            return

    def watch(self) -> None:
        """A mail arrives, perhaps not for the first time."""
        world, rng = self.world, self.world.rng
        if world.letters and (rng.random() < world.faults.duplicate or world.letters >= world.mails):
            if rng.random() >= world.faults.duplicate:
                return
            number = rng.randrange(world.letters)
        else:
            number, world.letters = world.letters, world.letters + 1
        task = cast.letter(number)
        if rng.random() < world.faults.odd_note:
            self._odd(task)
            return
        self.vault.add(task, self._also("mail.received", task))
        world.arrived.add(task.id)

    def claim(self) -> None:
        """What is most urgent, often several at once: all of them or none."""
        self.held += self.vault.claim([Domain.EMAIL], self.world.rng.choice((1, 1, 2, 3)))

    def work(self) -> None:
        """Do something with a task it takes for its own."""
        rng = self.world.rng
        if not self.held:
            self.held += self.vault.mine()[:1]
            return
        task = self.held.pop(rng.randrange(len(self.held)))
        if rng.random() < self.world.faults.forgetful:
            self.held.append(task)
        way = rng.random()
        if way < 0.62:
            self.vault.submit(task, self.draft(task), self._also("draft.submitted", task))
        elif way < 0.72:
            self.vault.submit(task, cast.asked(task), self._also("question.submitted", task))
        elif way < 0.77 and not task.revision and not task.has_action:
            self.vault.close(task, task.note, self._also("task.closed", task))
        elif way < 0.82:
            self.vault.release(task, waiting_for="model")
        elif way < 0.85:
            self.vault.quarantine(task, reason="poison", also=self._also("task.quarantined", task))
        else:
            self.held.append(self.vault.renew(task))

    def draft(self, task: Task) -> Note:
        note = cast.drafted(task, self.world.rng)
        if self.world.rng.random() < self.world.faults.odd_note:
            return note.with_body(note.body.replace("## Action", "## Akshun"))
        return note

    def withdraw(self) -> None:
        """Ask for a draft back, perhaps one that is long gone."""
        rng = self.world.rng
        pending = [task for task in self.vault.tasks(Stage.PENDING_APPROVAL) if task.revision]
        if pending:
            task = rng.choice(pending)
            self.vault.withdraw(task.id, max(1, task.revision - (rng.random() < 0.2)))

    def let_go(self) -> None:
        """As after a start: give back whatever stands in its own folder."""
        self.held.clear()
        for task in self.vault.mine():
            self.vault.release(task)

    def drain(self) -> None:
        """Told to stop: give everything back, be gone for a while, and come back knowing what the disk knows."""
        known = {(task.id, task.attempt) for task in self.vault.mine()}
        self.let_go()
        kept = known & {(task.id, task.attempt) for task in self.vault.mine()}  # a late claim may have come in
        hold(not kept, "I7", f"{self.name} stopped and still holds {sorted(kept)}")
        self.restart()
        self.gone = self.world.rng.randrange(2, 20)

    def set_aside(self) -> None:
        waiting = list(self.vault.tasks(Stage.NEEDS_ACTION))
        if waiting:
            task = self.world.rng.choice(waiting)
            if self.world.rng.random() < 0.3:
                self.vault.quarantine_note(layout.path_of(task))
                return
            with suppress(StaleRevision):
                self.vault.quarantine(task, reason="spam")

    def tell(self) -> None:
        odd = self.world.rng.random() < self.world.faults.odd_note
        now = self.clock.now()
        if self.world.rng.random() < 0.1:
            self.vault.record(Record.of("agent.alive", actor=self.identity.agent, target="", at=now, parameters={}))
        elif odd:
            mine = {f"Updates/{self.name}/recent.md": b"\xff- no update\n", "Signals/withdraw-me.json": b"{}\n"}
            self.vault.write("tell", "oddly", mine)
        else:
            self.vault.write("tell", "state", {}, Also(updates=[Update.of("alive", now, held=len(self.held))]))

    def settle(self) -> None:
        """Work without faults: free what is stuck, take what waits, submit it."""
        self.gone = 0
        self.vault.refresh()
        self.let_go()
        self.vault.reap()
        while (task := self.vault.claim_next([Domain.EMAIL])) is not None:
            self.vault.submit(task, cast.drafted(task, self.world.rng))

    def _odd(self, task: Task) -> None:
        """A note no parser takes: the waiting room refuses it, Quarantine does not."""
        try:
            self.vault.write("add", "oddly", {f"Needs_Action/email/{task.id}.md": GARBAGE})
        except Refused:
            pass
        else:
            hold(False, "I3", "a note that no parser takes was published as a task that waits")
        if task.id not in self.vault.journal.where:
            try:
                self.vault.write("add", task.id, {f"Quarantine/{task.id}.md": GARBAGE})
            except Refused:
                return  # somebody was first

    def _also(self, kind: str, task: Task) -> Also:
        now = self.clock.now()
        record = Record.of(kind, actor=self.identity.agent, target=task.id, at=now, parameters={"n": task.revision})
        return Also([record], [Update.of(kind.replace(".", "-"), now, task=task.id)])
