"""Invoices that are long over their date: once a day each becomes a task, and the task a reminder to approve."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import date, datetime

from accounting.reminding import reminder
from books.errors import BooksError, BooksUnreachable
from books.values import Owed, State
from cloud_agent.bookkeeping.ledger_desk import LedgerDesk, Unclear
from vault_protocol import plain, request
from vault_protocol.action import Address, BadAction
from vault_protocol.canonical import utc
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.request import Request
from vault_protocol.task import Domain, Stage, Task, task_id

KIND = "reminder"
AGAIN_AFTER = 30
"""Days until an invoice that is still open is reminded of once more."""


class Overdue:
    """`after` days over its date an invoice is reminded of, in the name of `sender`, from the mailbox `account`."""

    def __init__(
        self, desk: LedgerDesk, *, secret: bytes, after: int, account: str, sender: Address, now: Callable[[], datetime]
    ) -> None:
        self._desk, self._secret, self._after = desk, secret, after
        self._account, self._sender, self._now = account, sender, now
        self._looked: date | None = None

    def found(self) -> Iterator[Task]:
        """The tasks of today, each with an id that is the same tomorrow. Raises what the books raise."""
        today = self._now().date()
        if self._looked == today:
            return
        owed = self._desk.books.receivables(today=today)
        for one in owed:
            if one.days_over >= self._after and one.residual.amount > 0:
                yield self._task(one)
        self._looked = today

    def asking(self, task: Task) -> Note | None:
        """The reminder as a request; None when the invoice was paid meanwhile. Raises Unclear, BooksUnreachable."""
        try:
            move = self._desk.books.invoice(task.note.front.number("record"))
            if move.state is not State.POSTED or not move.residual.amount or move.due is None:
                return None
            if move.partner is None:
                raise Unclear(f"{move.number} names no customer")
            partner = self._desk.books.partner(move.partner.id)
        except BooksUnreachable:
            raise
        except BooksError as error:
            raise Unclear(str(error)) from None
        try:
            action = reminder(move, partner, account=self._account, sender=self._sender)
            note = request.put(task.note, Request(secrets.token_hex(8), action))
        except BadAction as error:
            raise Unclear(f"no reminder of {move.number} can be written: {error}") from None
        now = self._now()
        return note.put(
            type="approval", created=utc(now), recipient=plain.one_line(partner.email), drafted_by="bookkeeping rules"
        )

    def _task(self, owed: Owed) -> Task:
        often = (owed.days_over - self._after) // AGAIN_AFTER
        id_ = task_id(
            self._secret, mailbox=f"overdue {self._desk.name}", message_id=str(owed.move), content_sha256=str(often)
        )
        front = FrontMatter().put(
            type=KIND, received=utc(self._now()), priority="normal", record=owed.move, books=self._desk.name,
            mailbox=self._account, subject=f"Overdue: {plain.one_line(owed.number, 60)}",
            **{"from": plain.one_line(owed.name, 120)},
        )  # fmt: skip
        facts = plain.fenced(
            f"invoice   {plain.one_line(owed.number)}\ncustomer  {plain.one_line(owed.name)}\n"
            f"open      {owed.residual}\ndue       {owed.due.isoformat()}, {owed.days_over} days ago\n"
            f"reminder  {often + 1}\n"
        )
        body = f"\n# An invoice is overdue\n\n## Original\n\n{facts}"
        return Task(
            id=id_, stage=Stage.NEEDS_ACTION, domain=Domain.ACCOUNTING, slug=f"overdue-{plain.slug(owed.number)}",
            note=Note(front, body),
        )  # fmt: skip
