"""Local's half on a real Odoo: countersigned posts and payments through the connectors, and figures held to SQL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from accounting import warnings
from accounting.briefing import by_age
from accounting.handbook import Rules
from accounting.records import commercial_partner, invoice_of, payment_of
from books.drafts import Key, NewLine, NewMove
from books.odoo import open_books
from books.rpc import connect
from books.values import Kind
from local_agent.effects import Answer, Done, Executor, Ledger, Refusal
from local_agent.limits import MANY
from local_agent.mcp.books_connectors import PaymentConnector, PostConnector
from local_agent.mcp.posting import Posting
from tests.stack.books import Stack
from vault_protocol import keys, sshsig
from vault_protocol.action import PostInvoice, RegisterPayment
from vault_protocol.approval import NAMESPACE, SignedApproval, grant

pytestmark = pytest.mark.stack

OWNER_KEY = keys.new()
VENDORS = "GB33BUKB20201555555555"


@dataclass
class Desk:
    """The agent drafts with its key; Local posts with another, behind the approval check and a ledger."""

    stack: Stack
    posting: Posting
    ledger: Ledger

    def draft(self, kind: Kind, *, price: str = "100.00", reference: str = "") -> int:
        partner = self.stack.ids["partner" if kind is Kind.INVOICE else "vendor"]
        new = NewMove(
            kind, partner, (NewLine("Work", Decimal(price), Decimal(2)), NewLine("Travel", Decimal("12.34"))),
            issued=datetime.now(UTC).date(), reference=reference,
        )  # fmt: skip
        agent = open_books(self.stack.access("agent"))
        return agent.draft(Key(f"local-{secrets.token_hex(6)}"), new).id

    def invoice(self, move: int) -> PostInvoice:
        return invoice_of(self.posting.state(move), "books")

    def payment(self, move: int, amount: str) -> RegisterPayment:
        state, journal = self.posting.state(move), self.posting.journals()[0]
        return payment_of(state, "books", journal=journal, amount=Decimal(amount), on=datetime.now(UTC).date())

    def execute(self, action: PostInvoice | RegisterPayment, signed: SignedApproval | None = None) -> Answer:
        signed = signed or approved(action)
        if isinstance(action, PostInvoice):
            poster: Executor[PostInvoice] = self._executor(PostConnector(lambda _: self.posting, now))
            return poster.execute(action, signed)
        payer: Executor[RegisterPayment] = self._executor(PaymentConnector(lambda _: self.posting, now))
        return payer.execute(action, signed)

    def _executor(self, connector: object) -> Executor:  # type: ignore[type-arg]
        return Executor(
            connector=connector, ledger=self.ledger, vault="v1", id="exec-1",  # type: ignore[arg-type]
            key=sshsig.PublicKey.of(OWNER_KEY), secret=b"s" * 32, now=now, limit=lambda: MANY, dry_run=lambda: False,
        )  # fmt: skip


def now() -> datetime:
    return datetime.now(UTC)


def approved(action: PostInvoice | RegisterPayment) -> SignedApproval:
    at = now()
    return grant(
        action, vault="v1", executor="exec-1", task=secrets.token_hex(8), revision=1, by="owner", now=at, not_before=at,
        nonce=secrets.token_hex(16), sign=lambda m: sshsig.sign(OWNER_KEY, m, namespace=NAMESPACE),
    )  # fmt: skip


@pytest.fixture(scope="module")
def desk(books_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite")
    yield Desk(books_stack, Posting(connect(books_stack.access("local"))), ledger)
    ledger.close()


def test_a_countersigned_invoice_is_posted_once_in_the_words_that_were_approved(desk: Desk) -> None:
    action = desk.invoice(desk.draft(Kind.INVOICE, reference="PO 7"))
    assert (action.untaxed, action.reference, len(action.lines)) == ("212.34", "PO 7", 2)
    signed = approved(action)
    answers = [desk.execute(action, signed) for _ in range(3)]
    assert all(isinstance(answer, Done) for answer in answers)
    ((state, approval),) = desk.stack.sql(
        f"SELECT state, countersign_approval FROM account_move WHERE id = {action.record}"
    )
    assert (state, approval) == ("posted", action.digest)
    pdf = desk.posting.pdf(action.record)
    assert pdf.content.startswith(b"%PDF-")
    assert pdf.number


def test_other_words_or_another_state_than_the_records_post_nothing(desk: Desk) -> None:
    action = desk.invoice(desk.draft(Kind.INVOICE))
    lie = action.model_copy(update={"reference": "another"})
    assert isinstance(desk.execute(lie), Refusal)
    stale = action.model_copy(update={"state_sha256": "0" * 64})
    assert isinstance(desk.execute(stale), Refusal)
    assert desk.posting.state(action.record).state.value == "draft"


def test_a_countersigned_payment_is_registered_once_and_a_second_needs_a_new_look(desk: Desk) -> None:
    bill = desk.invoice(desk.draft(Kind.BILL, reference=secrets.token_hex(4)))
    assert isinstance(desk.execute(bill), Done)
    first = desk.payment(bill.record, "50.00")
    signed = approved(first)
    assert all(isinstance(desk.execute(first, signed), Done) for _ in range(3))
    again = first.model_copy(update={"amount": "60.00"})
    assert isinstance(desk.execute(again), Refusal), "the record is another since it was paid"
    assert desk.posting.state(bill.record).payments == (first.digest,)
    rest = desk.payment(bill.record, str(Decimal(bill.total) - 50))
    assert isinstance(desk.execute(rest), Done)
    assert desk.posting.state(bill.record).payment_state in ("paid", "in_payment")


def test_the_partners_past_is_what_was_posted_before(desk: Desk) -> None:
    bill = desk.invoice(desk.draft(Kind.BILL, reference=secrets.token_hex(4)))
    state = desk.posting.state(bill.record)
    found = desk.posting.past(partner=commercial_partner(state), kind=Kind.BILL, but=bill.record)
    ((count,),) = desk.stack.sql(
        "SELECT count(*) FROM account_move WHERE move_type = 'in_invoice' AND state = 'posted' "
        f"AND commercial_partner_id = {commercial_partner(state)} AND id <> {bill.record}"
    )
    assert found.posted == int(count)
    assert found.bank_accounts == (VENDORS,)
    for account, changed in ((VENDORS, False), ("LT121000011101001000", True)):
        action = bill.model_copy(update={"bank_account": account})
        assert any("Changed bank account" in told for told in warnings.of(action, Rules(), found)) is changed


def one(desk: Desk, query: str) -> Decimal:
    ((value,),) = desk.stack.sql(query)
    return Decimal(value or "0")


def test_the_figures_of_the_briefing_are_those_of_sql(desk: Desk, tmp_path: Path) -> None:
    for price in ("17.17", "900.00"):
        assert isinstance(desk.execute(desk.invoice(desk.draft(Kind.INVOICE, price=price))), Done)
    today = datetime.now(UTC).date()
    books, items = desk.posting.books, "FROM account_move_line l JOIN account_account a ON a.id = l.account_id"
    posted = "WHERE l.parent_state = 'posted'"
    for first, last in (
        (today.replace(day=1), today),
        (date(today.year, 1, 1), today),
        (today - timedelta(days=7), today),
    ):
        revenue = one(
            desk, f"SELECT -sum(l.balance) {items} {posted} AND a.internal_group = 'income' "
            f"AND l.date BETWEEN '{first}' AND '{last}'",
        )  # fmt: skip
        assert revenue > 0
        assert books.revenue(first, last).value.amount == revenue
    liquid = f"{posted} AND a.internal_type = 'liquidity' AND l.date <= '{today}'"
    cash = one(desk, f"SELECT coalesce(sum(l.balance), 0) {items} {liquid}")
    assert books.cash(on=today).value.amount == cash
    owed = books.receivables(today=today)
    open_ = one(
        desk, f"SELECT sum(l.amount_residual) {items} {posted} AND a.internal_type = 'receivable' AND NOT l.reconciled"
    )  # fmt: skip
    assert sum((item.residual.amount for item in owed), Decimal(0)) == open_ > 0
    assert sum(value for _, value in by_age(owed)) == open_
