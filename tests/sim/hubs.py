"""Hubs of the simulation: publishes wait in them, are carried out late or twice, and the hub itself dies.

`Plain` is any git remote: a compare-and-swap and nothing else. `Arbiter` is the resident hub: it judges, puts what
waits in a line under one swap, and puts a publish that touches other paths on a newer head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import TypeAlias

from vault_protocol import changeset, policy
from vault_protocol.changeset import BadChangeset
from vault_protocol.errors import HubUnreachable, Refused, UntrustedHead
from vault_protocol.follow import View
from vault_protocol.hub import Accepted, Broken, Change, Commit, CommitId, MovedOn, Published, Rejected, Reserved
from vault_protocol.policy import Trust
from vault_protocol.task import AgentId, Domain
from vault_protocol.testing import MemoryHub, MemoryStore


@dataclass(eq=False)
class Ticket:
    """A publish that lies at the hub; its sender may be gone."""

    commit: CommitId
    onto: CommitId | None
    exact: bool = False
    answer: Published | None = None


class HubDied(Exception):
    """Everything that was not on disk is gone."""


Reached: TypeAlias = Callable[[str], None]
Told: TypeAlias = Callable[[CommitId | None], None]
"""Everybody who follows its events."""


class Plain(MemoryHub):
    """One swap after another. `reached` is told each step of it, and may raise HubDied; `told` hears of each head."""

    def __init__(self, store: MemoryStore, rng: Random, reached: Reached, told: Told) -> None:
        super().__init__(store)
        self.store, self.rng, self.reached, self.told = store, rng, reached, told
        self.waiting: list[Ticket] = []
        self.durable: CommitId | None = None

    def refresh(self) -> CommitId | None:
        if self.away:
            raise HubUnreachable("the hub is away")
        return self.head

    def set_aside(self, head: CommitId | None, domains: Iterable[Domain], count: int) -> Reserved:
        """A plain remote sets nothing aside."""
        return Reserved(head)

    def send(self, commit: CommitId, onto: CommitId | None, exact: bool = False) -> Ticket:
        ticket = Ticket(commit, onto, exact)
        if self.away:
            ticket.answer = Broken("the hub is away")
        else:
            self.waiting.append(ticket)
        return ticket

    def flush(self) -> None:
        """Carry out what waits, in any order. Answers come last."""
        batch, self.waiting = self.waiting, []
        self.rng.shuffle(batch)
        try:
            for some in self._batches(batch):
                self._carry_out(some)
        except HubDied:
            self.crash(batch)

    def crash(self, batch: Sequence[Ticket] = ()) -> None:
        """Begin again from what is on disk. Whoever waited hears nothing."""
        self.head = self.durable
        for ticket in (*batch, *self.waiting):
            ticket.answer = ticket.answer or Broken("the hub died")
        self.waiting = []

    def _batches(self, batch: Sequence[Ticket]) -> list[list[Ticket]]:
        return [[ticket] for ticket in batch]

    def _carry_out(self, batch: Sequence[Ticket]) -> None:
        """One line, one write to the disk, one swap, and then the answers."""
        line = self.head
        placed: list[tuple[Ticket, CommitId | None]] = []
        for ticket in batch:
            on = self._place(ticket, line)
            placed.append((ticket, on))
            line = on or line
        self.reached("hub: line made")
        self.durable = line
        self.reached("hub: on disk")
        self._show(line)
        self.reached("hub: shown")
        self._answer(placed)

    def _show(self, line: CommitId | None) -> None:
        self.head = line
        self.told(line)

    def _answer(self, placed: Sequence[tuple[Ticket, CommitId | None]]) -> None:
        for ticket, on in placed:
            if ticket.answer is None:
                ticket.answer = Accepted(self.head, on) if on and self.head else MovedOn(self.head)

    def _place(self, ticket: Ticket, head: CommitId | None) -> CommitId | None:
        """The head with this publish on it; None when it does not fit. What is there already stays there."""
        if head is not None and self._grew_past(head, ticket.commit, ticket.onto):
            return head
        return ticket.commit if ticket.onto == head and self._follows(ticket.commit, head) else None


class Arbiter(Plain):
    """Group commits, re-parenting, policy. `view` is of the durable head."""

    def __init__(self, store: MemoryStore, rng: Random, reached: Reached, told: Told, trust: Trust) -> None:
        super().__init__(store, rng, reached, told)
        self.trust = trust
        self.view = View()
        self.taken: set[str] = set()
        """The messages of the line; each carries a signature. One that comes again had its answer lost."""
        self.regrafted = self.grouped = 0
        """How often a publish went on a newer head, and how often several went in together."""

    def crash(self, batch: Sequence[Ticket] = ()) -> None:
        super().crash(batch)
        self.view, self.taken = View(), set()
        self._look()

    def set_aside(self, head: CommitId | None, domains: Iterable[Domain], count: int) -> Reserved:
        """Any tasks, also for two agents, or such as do not wait: whatever it says is advice."""
        paths = sorted(self.view.where.values())
        return Reserved(head, tuple(self.rng.sample(paths, min(count, len(paths)))), 60.0, set_aside=True)

    def _batches(self, batch: Sequence[Ticket]) -> list[list[Ticket]]:
        return [list(batch)] if batch else []

    def _carry_out(self, batch: Sequence[Ticket]) -> None:
        self._look()
        self.grouped += len(batch) > 1
        super()._carry_out(batch)

    def _look(self) -> None:
        """Follow its own head: after a death it knows nothing that is not in the repository."""
        if self.head is None or self.head == self.view.head:
            return
        for commit in self.store.history(self.view.head, self.head):
            self._take(commit.id, commit, self.store.changes(self.view.head, commit.id))

    def _take(self, on: CommitId, commit: Commit, changes: Sequence[Change]) -> None:
        found = changeset.parse(commit.message, vault=self.trust.vault, changes=changes)
        self.view.take(on, changes, (found.agent, found.trail))
        self.taken.add(commit.message)

    def _place(self, ticket: Ticket, head: CommitId | None) -> CommitId | None:
        sent = self.commit_of(ticket.commit)
        if sent.message in self.taken:
            return head
        changes = self._changes(ticket)
        if changes is None or not self._fits(changes, ticket, head):
            return None
        if not self._allowed(sent, changes, head):
            if ticket.onto == head:
                ticket.answer = Rejected("policy", "", "no agent of ours publishes what is refused where it was made")
            return None
        on = ticket.commit if ticket.onto == head else self._graft(sent, changes, head)
        self._take(on, sent, changes)
        return on

    def commit_of(self, commit: CommitId) -> Commit:
        return self.store._commits[commit]

    def _changes(self, ticket: Ticket) -> tuple[Change, ...] | None:
        try:
            return self.store.changes(ticket.onto, ticket.commit)
        except UntrustedHead:
            return None

    def _fits(self, changes: Sequence[Change], ticket: Ticket, head: CommitId | None) -> bool:
        """Every path is as its sender saw it; what depends on the whole tree goes on that very tree."""
        if ticket.onto == head:
            return True
        if ticket.exact:
            return False
        return all((self.store.blob_id(head, c.path) if head else None) == c.old for c in changes)

    def _allowed(self, sent: Commit, changes: Sequence[Change], head: CommitId | None) -> bool:
        blobs = {change.path: change.new for change in changes}

        def after(path: str) -> bytes | None:
            if path in blobs:
                new = blobs[path]
                return None if new is None else self.store.blob(new)
            return self.store.read(head, path) if head else None

        try:
            policy.judge(
                sent.message, sent.author, changes, trust=self.trust, trails=self.view.trails,
                before=lambda path: self.store.read(head, path) if head else None,
                after=after, where=MappingProxyType(self.view.where),
                names=lambda folder: self.store.names(head, folder) if head else (),
            )  # fmt: skip
        except (BadChangeset, Refused):
            return False
        return True

    def _graft(self, sent: Commit, changes: Sequence[Change], head: CommitId | None) -> CommitId:
        self.regrafted += 1
        edits = {change.path: None if change.new is None else self.store.blob(change.new) for change in changes}
        return self.store.commit(
            head, edits, message=sent.message, author=AgentId(sent.author), at=sent.at
        )  # fmt: skip
