"""From Approved to Done: hand each approved action to its MCP server, and publish the receipt."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from pydantic import ValidationError

from local_agent.home import LOCAL
from local_agent.kinds import KINDS
from local_agent.mcp.result import ActResult
from vault_protocol import notes, request
from vault_protocol.approval import SignedApproval
from vault_protocol.audit import Record
from vault_protocol.canonical import moment, utc
from vault_protocol.clock import Clock
from vault_protocol.errors import MalformedNote, StaleRevision
from vault_protocol.hub import Edits
from vault_protocol.request import Request
from vault_protocol.task import Stage, Task
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

LOOK_AGAIN = timedelta(minutes=5)
"""Between two looks for an effect whose outcome nobody knows."""


class ActingServers(Protocol):
    """The MCP servers as their client sees them: each act goes to the one that takes its kind."""

    def act(self, asked: Request, approval: SignedApproval, earlier: list[SignedApproval]) -> ActResult:
        """Raises ServerGone."""
        ...

    def call(self, server: str, tool: str, **arguments: Any) -> Any:
        """A tool that only reads. Raises ServerGone."""
        ...


class ServerGone(Exception):
    """The MCP server died or does not answer; what it had started stands in the ledger."""


@dataclass
class Executor:
    """Walks the Approved tasks. It holds no credential and decides nothing: the server verifies, the ledger counts."""

    vault: Vault
    server: ActingServers
    clock: Clock
    executor: str
    reached: Callable[[str], None] = lambda step: None
    follow: Callable[[Task, Request, ActResult], Task | None] = lambda task, asked, result: None
    """The task that waits for Local once this one is done; it appears in the very commit that ends the first."""

    def __post_init__(self) -> None:
        self._later: dict[str, datetime] = {}
        self._told: dict[str, str] = {}

    def step(self) -> int:
        """One walk; how many tasks moved on."""
        moved = 0
        for task in tuple(self.vault.tasks(Stage.APPROVED)):
            if self._later.get(self._mark(task), self.clock.now()) > self.clock.now():
                continue
            try:
                moved += self._execute(task)
            except StaleRevision:
                continue  # a command of the owner was first
        return moved

    def look_again(self) -> None:
        """Put nothing off any longer: the owner has done something about it."""
        self._later.clear()

    def next_due(self) -> datetime | None:
        """When the next waiting task wants another look."""
        return min(self._later.values(), default=None)

    def waiting_for(self, task: Task) -> str:
        """What an approved task waits for, in words; empty when nothing is known."""
        return self._told.get(self._mark(task), "")

    def _execute(self, task: Task) -> bool:
        try:
            found = request.read(task.note)
        except MalformedNote as error:
            return self._reopen(task, "note", error.reason)
        if found is None:
            return self._reopen(task, "note", "it carries no action")
        given = list(self._approvals(task))
        current = [signed for signed in given if signed.approval.revision == task.revision]
        if not current:
            return self._reopen(task, "approval", "no approval of this revision lies in Approvals/")
        earlier = [one for one in given if one.approval.executor != self.executor]
        refused: list[tuple[SignedApproval, ActResult]] = []
        for signed in sorted(current, key=self._newest, reverse=True):
            begins = moment(signed.approval.not_before)
            if self.clock.now() < begins:
                self._wait(task, "the undo window" if self._undo_window(signed) else f"its time, {utc(begins)}", begins)
                return False
            try:
                result = self.server.act(found, signed, earlier)
            except ServerGone as error:
                self._wait(task, f"the server process stopped: {error}", self.clock.now() + timedelta(seconds=2))
                return False
            self.reached("answered")
            if result.status != "refused":
                return self._settle(task, found, signed, result)
            refused.append((signed, result))  # the next may hold: one taken back, another given in the same second
        return self._settle(task, found, *refused[0])

    def _undo_window(self, signed: SignedApproval) -> bool:
        """Whether it waits only so that it can be taken back."""
        return moment(signed.approval.not_before) - moment(signed.approval.decided_at) <= timedelta(minutes=5)

    def _newest(self, signed: SignedApproval) -> tuple[bool, str]:
        return signed.approval.executor == self.executor, signed.approval.decided_at

    def _settle(self, task: Task, asked: Request, signed: SignedApproval, result: ActResult) -> bool:
        approval = signed.approval
        match result.status:
            case "done":
                happened = KINDS[asked.action.type].done
                receipt = self._record(
                    "effect.confirmed", task, signed, happened, effect=result.effect, **result.facts,
                    ledger_sequence=result.ledger_sequence, executor=self.executor,
                )  # fmt: skip
                ended = " ".join((happened, result.facts.get("number", ""))).strip()
                self.vault.finish(task, result=ended, also=Also([receipt], (), self._following(task, asked, result)))
                self.reached("receipt")
                log.info("effect.confirmed", task=task.id, effect=result.effect[:12])
                self._later.pop(self._mark(task), None)
                return True
            case "refused":
                return self._reopen(task, result.rule, result.reason, signed)
            case "unsure":
                if self._told.get(self._mark(task)) != result.reason:
                    self.vault.record(self._record("effect.unknown", task, signed, "unknown", effect=result.effect))
                    log.warning("effect.unknown", task=task.id, effect=result.effect[:12])
                self._wait(task, result.reason, self.clock.now() + LOOK_AGAIN, unsure=True)
                return False
            case _:
                if result.rule == "paused" and self._told.get(self._mark(task)) != result.reason:
                    paused = Update.of("effects_paused", self.clock.now(), task=task.id)
                    self.vault.write("tell", "effects are paused", {}, Also(updates=[paused]))
                until = moment(result.until) if result.until else self.clock.now() + timedelta(seconds=10)
                until = min(until, max(moment(approval.expires), self.clock.now()))
                self._wait(task, result.reason, until)
                return False

    def _following(self, task: Task, asked: Request, result: ActResult) -> Edits:
        second = self.follow(task, asked, result)
        if second is None or second.id in self.vault.journal.where:
            return {}
        path, content = notes.write(second)
        return {path: content}

    def _reopen(self, task: Task, rule: str, reason: str, signed: SignedApproval | None = None) -> bool:
        """Back to the owner, with the reason. Nothing was sent under this approval."""
        record = self._record("effect.refused", task, signed, "refused", rule=rule)
        self.vault.reopen(task, because=f"{rule}: {reason}"[:300], also=Also(records=[record]))
        log.warning("effect.refused", task=task.id, rule=rule)
        return True

    def _approvals(self, task: Task) -> Iterator[SignedApproval]:
        journal = self.vault.journal
        if journal.head is None:
            return
        for path, _ in journal.store.paths(journal.head, "Approvals"):
            if re.search(rf"/{task.id}-r[0-9]+-[0-9a-f]{{8}}\.json$", path):
                try:
                    yield SignedApproval.model_validate_json(journal.read(path) or b"")
                except ValidationError:
                    log.warning("approval.malformed", path=path)

    def _record(self, kind: str, task: Task, signed: SignedApproval | None, result: str, **facts: str | int) -> Record:
        approval = signed.approval if signed else None
        return Record.of(
            kind, actor=LOCAL, target=task.id, at=self.clock.now(), result=result,
            approval_status="approved" if approval else "none", approved_by=approval.by if approval else "",
            parameters={
                "revision": task.revision,
                **({"approval": approval.id, "digest": approval.digest} if approval else {}),
                **facts,
            },
        )  # fmt: skip

    def _wait(self, task: Task, reason: str, until: datetime, *, unsure: bool = False) -> None:
        mark = self._mark(task)
        if self._told.get(mark) != reason and not unsure:
            log.info("effect.waiting", task=task.id, reason=reason)
        self._told[mark], self._later[mark] = reason, until

    def _mark(self, task: Task) -> str:
        return f"{task.id}.{task.revision}"
