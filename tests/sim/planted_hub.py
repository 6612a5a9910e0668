"""Planted bugs of the hub, in the simulation's own; `planted` names them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.sim.hubs import Arbiter, Plain, Ticket
from vault_protocol import changeset, policy
from vault_protocol.changeset import BadChangeset, Changeset
from vault_protocol.hub import Accepted, Change, Commit, CommitId, MovedOn

Patch = pytest.MonkeyPatch
Placed = Sequence[tuple[Ticket, CommitId | None]]


def the_remote_swaps_without_comparing(patch: Patch) -> None:
    """As libgit2's transport to a local path does."""
    right = Plain._place

    def place(self: Plain, ticket: Ticket, head: CommitId | None) -> CommitId | None:
        return right(self, ticket, head) or ticket.commit

    patch.setattr(Plain, "_place", place)


def a_newer_head_is_not_looked_at(patch: Patch) -> None:
    """A publish goes on whatever is there now, whether or not its paths are as its sender saw them."""
    patch.setattr(Arbiter, "_fits", lambda self, changes, ticket, head: True)
    nothing_is_judged_again(patch)


def only_the_paths_are_compared_on_a_newer_head(patch: Patch) -> None:
    """And not what the policy says of them there."""
    right = Arbiter._allowed

    def allowed(self: Arbiter, sent: Commit, changes: Sequence[Change], head: CommitId | None) -> bool:
        on_its_own_head = sent.parents == ((head,) if head else ())
        return right(self, sent, changes, head) if on_its_own_head else True

    patch.setattr(Arbiter, "_allowed", allowed)


def nothing_is_judged_again(patch: Patch) -> None:
    patch.setattr(Arbiter, "_allowed", lambda self, sent, changes, head: True)


def the_dashboard_goes_on_a_newer_head(patch: Patch) -> None:
    """It is made of the whole tree, and its paths alone do not say so."""

    def fits(self: Arbiter, changes: Sequence[Change], ticket: Ticket, head: CommitId | None) -> bool:
        return all((self.store.blob_id(head, c.path) if head else None) == c.old for c in changes)

    patch.setattr(Arbiter, "_fits", fits)


def a_group_is_judged_by_its_first(patch: Patch) -> None:
    right = Arbiter._carry_out
    allowed = Arbiter._allowed

    def carry_out(self: Arbiter, batch: Sequence[Ticket]) -> None:
        firsts = {self.commit_of(ticket.commit).message for ticket in batch[:1]}

        def first_allowed(sent: Commit, changes: Sequence[Change], head: CommitId | None) -> bool:
            return sent.message not in firsts or allowed(self, sent, changes, head)

        self._allowed = first_allowed  # type: ignore[method-assign]
        right(self, batch)

    patch.setattr(Arbiter, "_carry_out", carry_out)


def the_group_is_answered_before_the_swap(patch: Patch) -> None:
    right = Plain._carry_out
    answer = Plain._answer

    def carry_out(self: Plain, batch: Sequence[Ticket]) -> None:
        fits = [ticket for ticket in batch if ticket.onto == self.head]
        for ticket in fits[:1]:
            ticket.answer = Accepted(ticket.commit)
        right(self, batch)

    patch.setattr(Plain, "_carry_out", carry_out)
    patch.setattr(Plain, "_answer", answer)


def the_event_is_sent_before_the_disk_has_it(patch: Patch) -> None:
    right = Arbiter._place

    def place(self: Arbiter, ticket: Ticket, head: CommitId | None) -> CommitId | None:
        on = right(self, ticket, head)
        if on is not None:
            self.told(on)
        return on

    patch.setattr(Arbiter, "_place", place)


def the_disk_is_told_later(patch: Patch) -> None:
    """Without a sync: what is acknowledged is on the disk after the next publish, if there is one."""

    def carry_out(self: Plain, batch: Sequence[Ticket]) -> None:
        before = self.head
        right(self, batch)
        self.durable = before

    right = Plain._carry_out
    patch.setattr(Plain, "_carry_out", carry_out)


def a_publish_that_comes_twice_is_told_it_moved_on(patch: Patch) -> None:
    def place(self: Arbiter, ticket: Ticket, head: CommitId | None) -> CommitId | None:
        return None if self.commit_of(ticket.commit).message in self.taken else right(self, ticket, head)

    right = Arbiter._place
    patch.setattr(Arbiter, "_place", place)


def everybody_in_a_group_is_told_yes(patch: Patch) -> None:
    def answer(self: Plain, placed: Placed) -> None:
        for ticket, _ in placed:
            ticket.answer = ticket.answer or (Accepted(self.head) if self.head else MovedOn(None))

    patch.setattr(Plain, "_answer", answer)


def who_waited_for_a_dead_hub_is_told_no(patch: Patch) -> None:
    """A death between the disk and the answer is unknown to whoever waited, not a refusal."""
    right = Plain.crash

    def crash(self: Plain, batch: Sequence[Ticket] = ()) -> None:
        head = self.head
        for ticket in (*batch, *self.waiting):
            ticket.answer = ticket.answer or MovedOn(head)
        right(self, batch)

    patch.setattr(Plain, "crash", crash)


def the_hub_remembers_what_died_with_it(patch: Patch) -> None:
    """Its view of the head outlives the line that never reached the disk."""
    patch.setattr(Arbiter, "crash", Plain.crash)


def the_hub_counts_no_sequence(patch: Patch) -> None:
    right = policy.judge

    def allowed(self: Arbiter, sent: Commit, changes: Sequence[Change], head: CommitId | None) -> bool:
        def judge(message: str, author: str, found: Sequence[Change], **given: Any) -> Changeset:
            try:
                return right(message, author, found, **given)
            except BadChangeset as bad:
                if bad.rule != "sequence":
                    raise
                return changeset.parse(message, vault=self.trust.vault, changes=found)

        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(policy, "judge", judge)
            return allowed_right(self, sent, changes, head)

    allowed_right = Arbiter._allowed
    patch.setattr(Arbiter, "_allowed", allowed)


def the_hub_knows_no_places(patch: Patch) -> None:
    """Uniqueness is left to the paths: a task set aside and the same task that waits are two files."""
    right = Arbiter._allowed

    def allowed(self: Arbiter, sent: Commit, changes: Sequence[Change], head: CommitId | None) -> bool:
        where, touched = self.view.where, {change.path for change in changes}
        self.view.where = {task: path for task, path in where.items() if path in touched}
        try:
            return right(self, sent, changes, head)
        finally:
            self.view.where = where

    patch.setattr(Arbiter, "_allowed", allowed)
