"""The payments that a bank statement shows: for each movement that fits one document, a request to write it down.

The task's id is the HMAC of its facts under this machine's secret: whoever changes one of them has another task, and no
movement is asked about twice, however often a statement is dropped.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import structlog

from accounting.matching import Proposal
from accounting.records import payment_of
from books.errors import BooksError, NoSuchRecord
from local_agent.books_check import BooksCheck
from local_agent.follow_up import FOR_LOCAL, is_ours
from local_agent.home import LOCAL
from local_agent.mcp.posting import Posting
from vault_protocol import request
from vault_protocol.action import BadAction, RegisterPayment
from vault_protocol.action_base import spell
from vault_protocol.audit import Record
from vault_protocol.canonical import sha256, utc
from vault_protocol.errors import ClaimLost, VaultError
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.plain import fenced, one_line, slug, visible
from vault_protocol.request import Request
from vault_protocol.task import Domain, Stage, Task, TaskId, task_id
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

KIND = "movement"
LOOK_AGAIN = timedelta(minutes=1)


def task_of(proposal: Proposal, statement: TaskId, *, books: str, secret: bytes, now: datetime) -> Task:
    """The task that asks about this movement."""
    entry, move = proposal.entry, proposal.move
    facts: dict[str, str | int] = {
        "books": books, "record": move.id, "amount": spell(abs(entry.amount)), "currency": entry.currency,
        "booked": entry.booked.isoformat(), "movement": sha256(f"{entry.text}\n{entry.party}".encode())[:32],
    }  # fmt: skip
    whose = move.partner.name if move.partner else ""
    front = FrontMatter().put(
        **{"for": FOR_LOCAL}, type=KIND, statement=statement, **facts, received=utc(now), priority="normal",
        subject=f"Payment of {one_line(move.number, 60)}",
        reason=one_line(f"a movement of the bank fits {move.number} by {proposal.why.value}"),
    )  # fmt: skip
    told = f"{entry.booked}  {entry.amount:+,.2f} {entry.currency}  {entry.party}  {entry.text}\n"
    told += f"pays {move.number}, {whose}, open {move.residual}: {proposal.why.value}\n"
    body = f"\n# A movement of the bank\n\n## Original\n\n{fenced(visible(told))}"
    return Task(
        id=_id(secret, front), stage=Stage.NEEDS_ACTION, domain=Domain.ACCOUNTING, slug=slug(f"payment {move.number}"),
        note=Note(front, body),
    )  # fmt: skip


def _id(secret: bytes, front: FrontMatter) -> TaskId:
    facts = [front.words(name) for name in ("books", "amount", "currency", "booked", "movement")]
    key = json.dumps([*facts, front.number("record")])
    return task_id(secret, mailbox=KIND, message_id=key, content_sha256="")


@dataclass
class MatchedPayments:
    """One step raises what can be raised now."""

    vault: Vault
    books: Callable[[str], Posting]
    check: BooksCheck
    secret: bytes

    def __post_init__(self) -> None:
        self._later: dict[str, datetime] = {}

    def step(self) -> int:
        """How many were put before the owner."""
        raised = 0
        for task in tuple(self.vault.tasks(Stage.NEEDS_ACTION)):
            ours = is_ours(task) and "movement" in task.note.front
            if ours and self._later.get(task.id, self._now()) <= self._now():
                raised += self._raise(task)
        return raised

    def _raise(self, task: Task) -> bool:
        try:
            note = self._asking(task)
        except (BooksError, VaultError) as error:
            self._later[task.id] = self._now() + LOOK_AGAIN
            log.info("movement.waiting", task=task.id, reason=type(error).__name__)
            return False
        held = self.vault.claim_next(Domain, fit=lambda one: one.id == task.id)
        if held is None:
            return False
        kind = note.front.words("action") or "question"
        record = Record.of("movement.raised", actor=LOCAL, target=task.id, at=self._now(), parameters={"asks": kind})
        update = Update.of("movement", self._now(), task=task.id, asks=kind)
        try:
            self.vault.submit(held, note, Also([record], [update]))
        except ClaimLost:
            return False
        return True

    def _asking(self, task: Task) -> Note:
        """The note with its request, or with the reason why there is none. Raises BooksError, VaultError: later."""
        try:
            action, warnings, unknowns = self._payment(task)
            note = request.put(task.note, Request(secrets.token_hex(8), action, warnings, unknowns))
        except (BadAction, NoSuchRecord) as error:
            note = request.take_out(task.note)
            return note.put(type="question", reason=one_line(str(error)), created=utc(self._now()))
        return note.put(type="approval", created=utc(self._now()))

    def _payment(self, task: Task) -> tuple[RegisterPayment, tuple[str, ...], tuple[str, ...]]:
        """Made anew of the books as they are. Raises BadAction for what cannot be asked."""
        front = task.note.front
        if _id(self.secret, front) != task.id:
            raise BadAction("it says that Local asked for it, and that is not so: no such movement was found")
        books = self.books(front.words("books"))
        state, journals = books.state(front.number("record")), books.journals()
        if not journals:
            raise BadAction("the books have no bank or cash journal")
        amount, currency = Decimal(front.words("amount")), front.words("currency")
        action = payment_of(
            state,
            front.words("books"),
            journal=journals[0],
            amount=amount,
            on=date.fromisoformat(front.words("booked")),
        )
        if action.currency != currency:
            raise BadAction(f"the movement is in {currency}, the document in {action.currency}")
        warnings = tuple(dict.fromkeys(one_line(text) for text in self.check(action, ()).warnings))
        unsure = (f"whether it went through {one_line(journals[0].name)}",) if len(journals) > 1 else ()
        return action, warnings, unsure

    def _now(self) -> datetime:
        return self.vault.journal.clock.now()
