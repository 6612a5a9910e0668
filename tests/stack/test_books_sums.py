"""What the library sums over Odoo's interface is what SQL sums over the same tables."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal

import pytest

from books.drafts import Key, NewLine, NewMove
from books.odoo import OdooBooks
from books.rpc import Rpc, connect
from books.values import Kind
from tests.stack.books import Stack

pytestmark = pytest.mark.stack
TODAY = date(2026, 11, 25)
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture(scope="module")
def books(books_stack: Stack) -> Iterator[OdooBooks]:
    """With invoices and a bill posted on several days, some with tax, one paid in part."""
    with closing(connect(books_stack.access("agent"))) as agent, closing(connect(books_stack.access("local"))) as local:
        made = OdooBooks(agent)
        for number, (amount, day) in enumerate(
            [("100.10", "2026-10-05"), ("0.45", "2026-11-02"), ("999.99", "2026-11-24")]
        ):
            post(made, local, books_stack, number, Kind.INVOICE, amount, date.fromisoformat(day))
        post(made, local, books_stack, 7, Kind.BILL, "20.00", date(2026, 11, 3))
        first = made.find(Key("sums-0"))
        assert first is not None
        given = {"state_sha256": made.state(first.id).sha256, "approval_digest": digest("payment"), "journal": "BNK1"}
        local.call(
            "account.move", "countersign_register_payment", [first.id], **given, amount="15.11", date="2026-11-20"
        )
        yield made


def post(books: OdooBooks, local: Rpc, stack: Stack, number: int, kind: Kind, amount: str, day: date) -> None:
    who = stack.ids["partner" if kind is Kind.INVOICE else "vendor"]
    line = NewLine("Hours", Decimal(amount), product=stack.ids["product"])
    move = books.draft(Key(f"sums-{number}"), NewMove(kind, who, (line,), issued=day, reference=f"sums {number}")).id
    given = {"state_sha256": books.state(move).sha256, "approval_digest": digest(f"post {number}")}
    local.call("account.move", "countersign_post", [move], **given)


def digest(what: str) -> str:
    return hashlib.sha256(f"{__name__} {what}".encode()).hexdigest()


def number(stack: Stack, query: str) -> Decimal:
    return Decimal(stack.sql(query)[0][0])


POSTED = """
SELECT coalesce(sum({what}), 0) FROM account_move_line l JOIN account_move m ON m.id = l.move_id
JOIN account_account a ON a.id = l.account_id WHERE m.state = 'posted' AND {where}
"""


def test_revenue_is_what_sql_says(books_stack: Stack, books: OdooBooks) -> None:
    for first, last in (YEAR, (date(2026, 11, 1), date(2026, 11, 30)), (date(2026, 11, 24), date(2026, 11, 24))):
        where = f"a.internal_group = 'income' AND m.date BETWEEN '{first}' AND '{last}'"
        found = number(books_stack, POSTED.format(what="-l.balance", where=where))
        assert books.revenue(first, last).value.amount == found
        assert found > 0


def test_cash_and_balances_are_what_sql_says(books_stack: Stack, books: OdooBooks) -> None:
    where = f"a.internal_type = 'liquidity' AND m.date <= '{TODAY}'"
    assert books.cash(on=TODAY).value.amount == number(books_stack, POSTED.format(what="l.balance", where=where))
    rows = books_stack.sql(
        "SELECT a.code, sum(l.balance) FROM account_move_line l JOIN account_move m ON m.id = l.move_id "
        f"JOIN account_account a ON a.id = l.account_id WHERE m.state = 'posted' AND m.date <= '{TODAY}' "
        "GROUP BY a.code HAVING sum(l.balance) <> 0 ORDER BY a.code"
    )
    assert [(b.account, b.balance.amount) for b in books.balances(on=TODAY)] == [(c, Decimal(v)) for c, v in rows]


def test_receivables_are_what_sql_says(books_stack: Stack, books: OdooBooks) -> None:
    where = "a.internal_type = 'receivable' AND NOT l.reconciled"
    owed = books.receivables(today=TODAY)
    assert sum(o.residual.amount for o in owed) == number(
        books_stack, POSTED.format(what="l.amount_residual", where=where)
    )
    first = books.find(Key("sums-0"))
    assert first is not None
    [part] = [o for o in owed if o.move == first.id]
    assert part.residual.amount == Decimal("100.10") + Decimal("15.02") - Decimal("15.11")
    assert part.days_over == (TODAY - part.due).days


def test_a_draft_of_nothing_may_be_made(books_stack: Stack, books: OdooBooks) -> None:
    """Items of zero count as reconciled in Odoo; that is no claim to be paid."""
    line = NewLine("Free of charge", Decimal(0), taxes=())
    new = NewMove(Kind.INVOICE, books_stack.ids["partner"], (line,), issued=TODAY)
    made = books.draft(Key("sums-free"), new)
    assert books.change(made.id, new).total.amount == 0
