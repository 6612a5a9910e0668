"""The owner's decisions, however they were made: each is one signed changeset with one audit record."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from local_agent.home import LOCAL
from local_agent.lessons import Lessons
from local_agent.sending_hours import leaves
from local_agent.step_up import SteppedUp, StepUpNeeded
from vault_protocol import approval, request
from vault_protocol.action import PublishPost
from vault_protocol.approval import Sign, SignedApproval, StepUp
from vault_protocol.audit import Record
from vault_protocol.canonical import Json, moment, utc
from vault_protocol.errors import IllegalMove, VaultError
from vault_protocol.note import Note
from vault_protocol.task import Task
from vault_protocol.vault import Also, Vault

FURTHEST = timedelta(days=366)
"""How far ahead an effect may be approved."""


class How(StrEnum):
    """By which way a decision came."""

    COMMAND = "command"
    FOLDER = "folder"
    PAGE = "page"


@dataclass(frozen=True)
class Desk:
    """Where the owner decides. `executor` is the one machine an approval is good for."""

    vault: Vault
    executor: str
    owner: str
    undo: timedelta
    nonce: Callable[[], str] = lambda: secrets.token_hex(16)
    lessons: Lessons | None = None
    """What is learned from what the owner changes and rejects; None: nothing."""

    def approve(
        self, task: Task, *, sign: Sign, how: How, note: Note | None = None, at: datetime | None = None,
        at_once: bool = False,
    ) -> Task:  # fmt: skip
        """Sign and publish. `note` is the owner's edited text: it becomes the next revision, and that is approved.
        `at` is when it is to happen, if not when a post is planned, or as soon as the undo window is over and, where
        the Handbook says so and unless `at_once`, working hours have begun.

        Raises KeyLocked, StepUpNeeded, StaleRevision, MalformedNote, IllegalMove for a note without an action,
        HubUnreachable.
        """
        shown = note if note is not None else task.note
        step_up: StepUp = sign.how if isinstance(sign, SteppedUp) else "none"
        found = request.read(shown)
        if found is None:
            raise IllegalMove(f"task {task.id} asks for nothing to be done; acknowledge it or send it back")
        if found.action.step_up and step_up == "none":
            raise StepUpNeeded(f"{task.id} is a payment: it needs your passphrase again, or a touch of your FIDO key")
        now = self.vault.journal.clock.now()
        named, first = at or planned(shown), now + self.undo
        begins = max(first, named or now)
        if named is None and not at_once:
            begins = leaves(self.vault.journal, task, found.action, first)
        if begins - now > FURTHEST:
            raise VaultError(f"{utc(begins)} is more than {FURTHEST.days} days away; approve it when that is nearer")
        signed = approval.grant(
            found.action, vault=self.vault.journal.identity.vault, executor=self.executor, task=task.id,
            revision=task.revision + (note is not None), by=self.owner, now=now, not_before=begins,
            nonce=self.nonce(), sign=sign, step_up=step_up,
        )  # fmt: skip
        waits = utc(begins) if begins > first else ""
        record = self._record("approve", task, how, signed, edited=note is not None, waits_until=waits)
        approved = self.vault.approve(task, signed, note, Also(records=[record]))
        if self.lessons is not None:
            self.lessons.approved(task)
            if note is not None:
                self.lessons.edited(task, note)
        return approved

    def edit(self, task: Task, note: Note, *, how: How) -> Task:
        """Publish the owner's own text as the next revision, undecided. Raises MalformedNote when it does not hold."""
        request.read(note)
        edited = self.vault.edit(task, note, Also(records=[self._record("edit", task, how)]))
        if self.lessons is not None:
            self.lessons.edited(task, note)
        return edited

    def reject(self, task: Task, *, why: str, how: How) -> Task:
        rejected = self.vault.reject(task, why=why, also=Also(records=[self._record("reject", task, how)]))
        if self.lessons is not None:
            self.lessons.rejected(task, why)
        return rejected

    def send_back(self, task: Task, *, remark: str, how: How) -> Task:
        """Ask Cloud for another draft."""
        return self.vault.send_back(task, remark=remark, also=Also(records=[self._record("send_back", task, how)]))

    def acknowledge(self, task: Task, *, how: How) -> Task:
        """End a note that asks for nothing to be done."""
        return self.vault.acknowledge(task, Also(records=[self._record("acknowledge", task, how)]))

    def _record(
        self, verdict: str, task: Task, how: How, signed: SignedApproval | None = None, *, edited: bool = False,
        waits_until: str = "",
    ) -> Record:  # fmt: skip
        given = {"approval": signed.approval.id, "digest": signed.approval.digest} if signed else {}
        given |= {"waits_until": waits_until} if waits_until else {}
        facts: dict[str, Json] = {
            "verdict": verdict,
            "revision": task.revision + edited,
            "how": how.value,
            "edited": edited,
        }
        return Record.of(
            "approval.decided", actor=LOCAL, target=task.id, at=self.vault.journal.clock.now(),
            parameters={**facts, **given},
            approval_status="approved" if signed else verdict, approved_by=self.owner if signed else "",
            result="published",
        )  # fmt: skip


def planned(note: Note) -> datetime | None:
    """When a post is to go out, as its note says; nothing else is put off by a note."""
    try:
        asked = request.read(note)
        told = note.front.words("not_before")
        return moment(told) if told and asked is not None and isinstance(asked.action, PublishPost) else None
    except ValueError:
        return None
