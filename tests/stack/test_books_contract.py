"""What `Books` promises, over both interfaces: to the server in memory, and to a real Odoo."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Literal

import pytest

from books.drafts import Key, NewLine, NewMove, NewPartner, NewQuotation
from books.errors import BadCredentials, BooksRefused, NoSuchRecord, NotNow
from books.memory.odoo import MemoryOdoo
from books.odoo import OdooBooks, open_books
from books.reading import move_state
from books.rpc import Access, Rpc, connect
from books.testing import DATABASE, Server, serving
from books.values import Kind, Money, Move, State
from tests.stack.books import Stack, free_port
from tests.stack.forward import Forward

DAY = date(2026, 11, 20)
NUMBERS = iter(range(1, 10**6))


@dataclass(frozen=True)
class World:
    """Books with a draft-only user `agent` and a billing user `local`; partner, vendor and product are in them."""

    access: Callable[[str], Access]
    agent: OdooBooks
    agent_rpc: Rpc
    local: Rpc
    partner: int
    vendor: int
    product: int
    nowhere: str
    """An address where nobody listens."""

    def invoice(self, *amounts: str, kind: Kind = Kind.INVOICE) -> NewMove:
        lines = tuple(NewLine("Work", Decimal(amount), taxes=()) for amount in amounts or ("100",))
        who = self.partner if kind in (Kind.INVOICE, Kind.CREDIT_NOTE) else self.vendor
        return NewMove(kind, who, lines, issued=DAY, due=date(2026, 12, 4), reference=f"PO {next(NUMBERS)}")


@pytest.fixture(
    scope="module",
    params=[
        "json-rpc",
        "json-2",
        pytest.param("json-rpc of Odoo 14", marks=pytest.mark.stack),
        pytest.param("json-2 before Odoo 14", marks=pytest.mark.stack),
    ],
)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Over JSON-2 the real Odoo stands behind a server that translates: the packaged version does not speak it."""
    interface: Literal["json-rpc", "json-2"] = "json-2" if "json-2" in request.param else "json-rpc"
    nowhere = f"http://127.0.0.1:{free_port()}"
    if "Odoo" not in request.param:
        keys = {"agent-key": "agent", "local-key": "local"}
        with (
            serving(Server(MemoryOdoo(), keys)) as server,
            opened(partial(_access, server, interface), 1, 2, 1, nowhere) as made,
        ):
            yield made
        return
    stack: Stack = request.getfixturevalue("books_stack")
    at = (stack.ids["partner"], stack.ids["vendor"], stack.ids["product"], nowhere)
    if interface == "json-rpc":
        with opened(stack.access, *at) as made:
            yield made
    else:
        keys = {key: login for login, key in stack.keys.items()}
        with (
            serving(Server(Forward(stack), keys)) as server,
            opened(partial(_access, server, interface), *at) as made,
        ):
            yield made


@contextmanager
def opened(access: Callable[[str], Access], partner: int, vendor: int, product: int, nowhere: str) -> Iterator[World]:
    with closing(connect(access("agent"))) as agent, closing(connect(access("local"))) as local:
        yield World(access, OdooBooks(agent), agent, local, partner, vendor, product, nowhere)


def _access(server: Server, interface: Literal["json-rpc", "json-2"], login: str) -> Access:
    key = next(key for key, whose in server.keys.items() if whose == login)
    return Access(server.url, DATABASE, login, key, interface=interface)


def key() -> Key:
    return Key(f"contract-{next(NUMBERS)}")


def drafted(world: World, *amounts: str) -> Move:
    books = world.agent
    return books.invoice(books.draft(key(), world.invoice(*amounts)).id)


def post(world: World, move: int, sha256: str, approval: str) -> str:
    given = {"state_sha256": sha256, "approval_digest": approval}
    return move_state(world.local.call("account.move", "countersign_post", [move], **given)).approval


def approval() -> str:
    return hashlib.sha256(f"{__name__} {next(NUMBERS)}".encode()).hexdigest()


def test_a_partner_is_found_by_a_part_of_its_name_and_by_its_whole_address(world: World) -> None:
    books = world.agent
    [found] = books.partners("lovelace")
    assert (found.id, found.email) == (world.partner, "ada@customer.test")
    assert found.lang in ("", "en_US")
    assert books.partners(email="ADA@customer.test") == (found,)
    assert books.partners(email="ada@customer") == ()
    assert books.partner(world.partner) == found


def test_a_search_takes_signs_literally(world: World) -> None:
    assert world.agent.partners("Ada%Ltd") == ()
    assert world.agent.partners("Ad_ Lovelace") == ()


def test_a_product_has_its_price_in_the_companys_currency(world: World) -> None:
    [found] = world.agent.products("consulting")
    assert (found.id, found.code, found.price) == (world.product, "HOUR", Money(Decimal("120.00"), "USD"))


def test_a_draft_holds_what_was_asked_for(world: World) -> None:
    new = world.invoice("120.50", "0.10")
    move = world.agent.invoice(world.agent.draft(key(), new).id)
    assert (move.kind, move.state, move.total) == (Kind.INVOICE, State.DRAFT, Money(Decimal("120.60"), "USD"))
    assert [(line.label, line.subtotal.amount) for line in move.lines] == [
        ("Work", Decimal("120.50")),
        ("Work", Decimal("0.10")),
    ]
    assert (move.issued, move.due, move.reference) == (DAY, date(2026, 12, 4), new.reference)
    assert move.partner is not None
    assert move.partner.id == world.partner


def test_taxes_that_are_left_open_are_odoos_to_choose(world: World) -> None:
    books = world.agent
    line = NewLine("", Decimal(100), product=world.product)
    move = books.invoice(books.draft(key(), NewMove(Kind.INVOICE, world.partner, (line,), issued=DAY)).id)
    assert (move.untaxed.amount, move.total.amount) == (Decimal("100.00"), Decimal("115.00"))


@pytest.mark.parametrize("kind", [Kind.BILL, Kind.CREDIT_NOTE, Kind.BILL_REFUND])
def test_each_kind_is_drafted(world: World, kind: Kind) -> None:
    books = world.agent
    move = books.invoice(books.draft(key(), world.invoice("12.34", kind=kind)).id)
    assert (move.kind, move.total.amount) == (kind, Decimal("12.34"))


def test_a_bill_is_to_be_paid_where_the_books_know_and_never_to_somebody_elses_account(world: World) -> None:
    books = world.agent
    [account] = books.bank_accounts(world.vendor)
    assert account.number == "GB33BUKB20201555555555"
    bill = books.draft(key(), replace(world.invoice(kind=Kind.BILL), bank=account.id)).id
    assert books.state(bill).content["bank"] == [account.id, account.number, world.vendor]
    with pytest.raises(BooksRefused, match="draft-only"):
        books.draft(key(), replace(world.invoice(), bank=account.id))


def test_a_key_makes_one_record_however_often_it_is_used(world: World) -> None:
    one, books = key(), world.agent
    assert books.find(one) is None
    first = books.draft(one, world.invoice())
    again = books.draft(one, world.invoice("999"))
    assert (first.fresh, again.fresh, again.id) == (True, False, first.id)
    assert books.find(one) == again
    assert books.invoice(first.id).total.amount == Decimal("100.00")


def test_a_key_used_by_many_at_once_makes_one_record(world: World) -> None:
    one = key()
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: world.agent.draft(one, world.invoice()), range(6)))
    assert len({drafted.id for drafted in made}) == 1
    assert sum(drafted.fresh for drafted in made) == 1


def test_a_key_that_stands_for_a_move_is_no_partners(world: World) -> None:
    one, books = key(), world.agent
    books.draft(one, world.invoice())
    with pytest.raises(BooksRefused, match="bad-value"):
        books.enter_partner(one, NewPartner("Somebody"))


def test_a_changed_draft_says_the_new_and_not_the_old(world: World) -> None:
    move = drafted(world, "1", "2")
    changed = world.agent.change(move.id, world.invoice("3.50"))
    assert [line.subtotal.amount for line in changed.lines] == [Decimal("3.50")]
    assert changed.total.amount == Decimal("3.50")


def test_a_file_and_a_note_are_left_once(world: World) -> None:
    books, move, file, note = world.agent, drafted(world), key(), key()
    kept = [books.attach(file, move.id, "order.pdf", b"%PDF-1.4", media_type="application/pdf") for _ in range(2)]
    left = [books.remark(note, move.id, "Asked for <b>by mail</b>\nSee the thread.") for _ in range(2)]
    assert [(a.model, a.fresh) for a in kept] == [("ir.attachment", True), ("ir.attachment", False)]
    assert [(n.model, n.fresh) for n in left] == [("mail.message", True), ("mail.message", False)]
    assert kept[0].id == kept[1].id
    assert left[0].id == left[1].id


def test_a_partner_is_entered_once(world: World) -> None:
    books, one = world.agent, key()
    new = NewPartner(f"Neu {one} AG", email=f"{one}@new.test", country="de")
    made = books.enter_partner(one, new)
    assert books.enter_partner(one, new).id == made.id
    assert [p.id for p in books.partners(email=new.email)] == [made.id]


def test_a_quotation_is_drafted_and_not_confirmed(world: World) -> None:
    books, one = world.agent, key()
    new = NewQuotation(world.partner, (NewLine("Hours", Decimal(100), product=world.product),))
    made = books.quote(one, new)
    assert books.quote(one, new).id == made.id
    assert books.quotation(made.id).state == "draft"


def test_what_is_not_there_is_said_to_be_gone(world: World) -> None:
    with pytest.raises(NoSuchRecord):
        world.agent.invoice(10**6)
    with pytest.raises(NoSuchRecord):
        world.agent.state(10**6)


def test_a_refusal_names_what_is_missing(world: World) -> None:
    with pytest.raises(BooksRefused, match="no-model"):
        world.local.call("no.such.model", "search_read", domain=[], fields=[])
    with pytest.raises(BooksRefused, match="no-method"):
        world.local.call("account.move", "no_such_method")
    with pytest.raises(BooksRefused, match="access"):
        world.local.call("account.move", "_private", [1])


def test_a_state_is_the_same_until_the_draft_changes(world: World) -> None:
    move, books = drafted(world), world.agent
    first = books.state(move.id)
    assert books.state(move.id).sha256 == first.sha256
    assert (first.content["total"], first.content["partner"][0]) == ("100.00", world.partner)
    books.change(move.id, world.invoice("100.01"))
    assert books.state(move.id).sha256 != first.sha256


def test_the_agent_posts_nothing(world: World) -> None:
    move = drafted(world)
    given = {"state_sha256": world.agent.state(move.id).sha256, "approval_digest": approval()}
    with pytest.raises(BooksRefused, match="draft-only"):
        world.agent_rpc.call("account.move", "countersign_post", [move.id], **given)
    assert world.agent.invoice(move.id).state is State.DRAFT


def test_what_was_approved_is_posted_once(world: World) -> None:
    move, one = drafted(world), approval()
    seen = world.agent.state(move.id).sha256
    assert post(world, move.id, seen, one) == one
    assert post(world, move.id, seen, one) == one
    with pytest.raises(BooksRefused, match="other-approval"):
        post(world, move.id, seen, approval())
    assert world.agent.invoice(move.id).state is State.POSTED


def test_one_approval_posts_one_move(world: World) -> None:
    first, second, one = drafted(world), drafted(world), approval()
    post(world, first.id, world.agent.state(first.id).sha256, one)
    with pytest.raises(BooksRefused, match="other-approval"):
        post(world, second.id, world.agent.state(second.id).sha256, one)


def test_what_changed_since_the_approval_is_not_posted(world: World) -> None:
    move = drafted(world)
    seen = world.agent.state(move.id).sha256
    world.agent.change(move.id, world.invoice("100.01"))
    with pytest.raises(BooksRefused, match="changed"):
        post(world, move.id, seen, approval())
    assert world.agent.invoice(move.id).state is State.DRAFT


def test_what_is_posted_is_changed_no_more(world: World) -> None:
    move = drafted(world)
    post(world, move.id, world.agent.state(move.id).sha256, approval())
    with pytest.raises(BooksRefused, match="not-draft"):
        world.agent.change(move.id, world.invoice("1"))
    with pytest.raises(BooksRefused, match="not-draft"):
        world.agent.attach(key(), move.id, "late.pdf", b"%PDF", media_type="application/pdf")


def test_a_payment_is_registered_once_for_each_approval(world: World) -> None:
    move, first, second = drafted(world), approval(), approval()
    post(world, move.id, world.agent.state(move.id).sha256, approval())
    owing = world.agent.state(move.id)

    def pay(digest: str, sha256: str, amount: str) -> tuple[str, tuple[str, ...]]:
        given = {"state_sha256": sha256, "approval_digest": digest, "journal": "BNK1", "amount": amount}
        rpc = world.local
        told = rpc.call("account.move", "countersign_register_payment", [move.id], **given, date="2026-11-24")
        paid = move_state(told)
        return paid.content["residual"], paid.payments

    for wrong in ("100.01", "0", "-5", "5.005", "a lot"):
        with pytest.raises(BooksRefused, match="bad-value"):
            pay(first, owing.sha256, wrong)
    assert pay(first, owing.sha256, "40.00") == ("60.00", (first,))
    assert pay(first, owing.sha256, "40.00") == ("60.00", (first,))
    with pytest.raises(BooksRefused, match="changed"):
        pay(second, owing.sha256, "60.00")
    assert pay(second, world.agent.state(move.id).sha256, "60.00") == ("0.00", (first, second))
    assert world.agent.invoice(move.id).residual.amount == 0


def test_sums_move_by_what_was_posted(world: World) -> None:
    books = world.agent
    month = (date(2026, 11, 1), date(2026, 11, 30))
    income, owed = books.revenue(*month).value.amount, books.receivables(today=date(2026, 12, 14))
    move = drafted(world, "250.10")
    assert books.revenue(*month).value.amount == income
    post(world, move.id, books.state(move.id).sha256, approval())
    assert books.revenue(*month).value == Money(income + Decimal("250.10"), "USD")
    [new] = set(books.receivables(today=date(2026, 12, 14))) - set(owed)
    assert (new.move, new.residual.amount, new.days_over) == (move.id, Decimal("250.10"), 10)
    assert sum(b.balance.amount for b in books.balances(on=date(2027, 1, 1))) == 0
    assert move.id in [found.id for found in books.invoices(partner=world.partner, unpaid=True, limit=200)]


def test_a_wrong_key_or_database_pauses(world: World) -> None:
    good = world.access("agent")
    for wrong in (replace(good, key="wrong"), replace(good, database="elsewhere")):
        with closing(open_books(wrong)) as books, pytest.raises(BadCredentials):
            books.partners("ada")


def test_where_nobody_listens_nothing_has_happened(world: World) -> None:
    elsewhere = replace(world.access("agent"), url=world.nowhere)
    with closing(open_books(elsewhere)) as books, pytest.raises(NotNow):
        books.draft(key(), world.invoice())
