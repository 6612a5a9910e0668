"""Which tasks are for the books, and what becomes of them: a request to post, a question, or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from accounting import requested
from books.books import Reading as ReadingBooks
from books.errors import BooksError, BooksUnreachable
from cloud_agent.bookkeeping import billing, invoicing, words
from cloud_agent.bookkeeping.ledger_desk import LedgerDesk, Unclear
from cloud_agent.note_of_mail import with_triage
from cloud_agent.reading import Reading
from correspondence import contents
from drafting import Kind, Letter, Priority, Triage, handbook
from vault_protocol import later, plain, request, scan
from vault_protocol.action import BadAction, PostInvoice
from vault_protocol.canonical import utc
from vault_protocol.later import Then
from vault_protocol.note import Note
from vault_protocol.request import Request
from vault_protocol.task import Task

_NEVER = frozenset({Kind.SPAM, Kind.NEWSLETTER})


@dataclass(frozen=True)
class Asking:
    """A note that asks for an invoice or bill to be posted."""

    note: Note
    action: PostInvoice


class Clerk:
    """The accounting half of a worker. Raises BooksUnreachable: the task waits, and mail goes on."""

    def __init__(
        self, desk: LedgerDesk, now: Callable[[], datetime], stale_after: Callable[[datetime], datetime]
    ) -> None:
        self._desk, self._now, self._stale_after = desk, now, stale_after

    def work(self, task: Task, reading: Reading, triage: Triage, raw: bytes | None, rules: str) -> Asking | None:
        """None when it is nothing for the books, which are business: personal mail goes there only when the handbook
        lets it use business context. Raises Unclear with what the owner has to say first."""
        if not handbook.read(handbook.in_scope(rules, None)).may_use(reading.letter.to_account, "business"):
            return None
        if reading.original is None or reading.silence or reading.obstacle or triage.kind in _NEVER:
            return None
        try:
            files = contents.attached(raw) if raw else {}
            bills, reasons = billing.find(reading.original.attachments, files)
            if not bills and triage.kind is Kind.INVOICE:
                bills, unread = billing.read_like_a_person(reading.original.attachments, files)
                reasons = (*reasons, *unread)
            if len(bills) > 1:
                raise Unclear(f"the mail brings {len(bills)} bills; ask for one mail each")
            if bills:
                return self._bill(task, reading, triage, bills[0], rules)
            if triage.kind is Kind.INVOICE and reasons:
                raise Unclear("this reads like a bill, and nothing in it can be taken by itself: " + "; ".join(reasons))
            if requested.asks_for_invoice(reading.letter.subject, reading.letter.text):
                return self._invoice(task, reading, triage, rules)
        except BooksUnreachable:
            raise
        except BooksError as error:
            raise Unclear(str(error)) from None
        return None

    def wished(self, task: Task, wish: str, rules: str) -> Asking:
        """An invoice that the owner wishes without a mail. Raises Unclear, BooksUnreachable."""
        letter = Letter(
            sender_name="", sender_address="", to_account="business", account_name="", subject="", text=wish
        )
        try:
            record, found = invoicing.draft(self._desk, task.id, letter, remark=wish, today=self._today())
            action, warnings, _ = self._desk.posting(record, rules)
        except BooksUnreachable:
            raise
        except BooksError as error:
            raise Unclear(str(error)) from None
        triage = Triage(Kind.NEEDS_OWNER, Priority.NORMAL, "a step of a plan", "plan")
        return Asking(self._note(task, triage, action, (*found, *warnings)), action)

    @property
    def books(self) -> ReadingBooks:
        """For looking alone."""
        return self._desk.books

    def _invoice(self, task: Task, reading: Reading, triage: Triage, rules: str) -> Asking:
        remark, letter = reading.remark or "", reading.letter
        record, found = invoicing.draft(self._desk, task.id, letter, remark=remark, today=self._today())
        action, warnings, _ = self._desk.posting(record, rules)
        note = later.put(self._note(task, triage, action, (*found, *warnings)), Then.REPLY, words.with_invoice(letter))
        return Asking(note, action)

    def _bill(self, task: Task, reading: Reading, triage: Triage, found: billing.Found, rules: str) -> Asking:
        record = billing.draft(self._desk, task.id, reading.letter, found)
        action, warnings, past = self._desk.posting(record, rules)
        told = (*billing.differences(found, action, past.bank_accounts), *warnings)
        return Asking(later.put(self._note(task, triage, action, told), Then.PAYMENT), action)

    def _note(self, task: Task, triage: Triage, action: PostInvoice, warnings: tuple[str, ...]) -> Note:
        now = self._now()
        note = with_triage(later.take_out(task.note), triage).put(
            type="approval", recipient=plain.one_line(action.partner.name), amount=f"{action.total} {action.currency}",
            reason=plain.one_line(triage.reason), created=utc(now), stale_after=utc(self._stale_after(now)),
            priority="high" if warnings else triage.priority.value, drafted_by="bookkeeping rules", unknowns=None,
        )  # fmt: skip
        told = dict.fromkeys(plain.one_line(scan.mask(warning)[0]) for warning in warnings)
        try:
            return request.put(note, Request(secrets.token_hex(8), action, tuple(told)))
        except BadAction as error:
            raise Unclear(f"no request can be made of record {action.record}: {error}") from None

    def _today(self) -> date:
        return self._now().date()
