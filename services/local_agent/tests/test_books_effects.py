"""Posting and paying over a server that behaves like Odoo: at most once for an approval, and every doubt is told."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from accounting.records import invoice_of, payment_of
from books.rpc import Access, connect
from demo.odoo.server import Fate, Server
from local_agent.effects import Answer, Done, Executor, Ledger, Refusal, Unsure, Waiting
from local_agent.limits import MANY
from local_agent.mcp.books_connectors import UNDER_WAY, PaymentConnector, PostConnector
from local_agent.mcp.posting import Posting
from vault_protocol import keys, sshsig
from vault_protocol.action import Journal, PostInvoice, RegisterPayment
from vault_protocol.approval import NAMESPACE, SignedApproval, grant
from vault_protocol.testing import TestClock

OWNER_KEY = keys.new()
BANK = Journal(id=3, name="Bank")
LATER = UNDER_WAY + timedelta(seconds=1)


class Died(BaseException):
    """The process is gone at this step."""


@dataclass
class Desk:
    """Both executors over one ledger, with a clock that moves when told."""

    folder: Path
    server: Server
    clock: TestClock = field(default_factory=TestClock)
    die_at: str = ""
    ledgers: list[Ledger] = field(default_factory=list)
    known: dict[str, Posting] = field(default_factory=dict)
    login: str = "local"

    def posting(self, login: str = "local", key: str = "") -> Posting:
        """Logged in once for each key: to begin with TLS's certificates costs more than ten calls."""
        key = key or self.server.keys[login]
        if key not in self.known:
            access = Access(url=self.server.url, database="books", login=login, key=key, timeout_seconds=5)
            self.known[key] = Posting(connect(access))
        return self.known[key]

    def draft(self, kind: str = "out_invoice", partner: int = 1, price: float = 100.0) -> dict[str, Any]:
        return self.server.records.enter(kind, partner, ("Consulting", 2.0, price), ref="PO 1")

    def invoice(self, move: dict[str, Any]) -> PostInvoice:
        return invoice_of(self.posting().state(move["id"]), "books")

    def payment(self, move: dict[str, Any], amount: str = "50.00") -> RegisterPayment:
        state = self.posting().state(move["id"])
        return payment_of(state, "books", journal=BANK, amount=Decimal(amount), on=date(2026, 11, 23))

    def approve(self, action: PostInvoice | RegisterPayment, task: str = "a" * 16) -> SignedApproval:
        now = self.clock.now()
        return grant(
            action, vault="v1", executor="exec-1", task=task, revision=1, by="owner", now=now, not_before=now,
            nonce=secrets.token_hex(16), sign=lambda m: sshsig.sign(OWNER_KEY, m, namespace=NAMESPACE),
        )  # fmt: skip

    def execute(self, action: PostInvoice | RegisterPayment, signed: SignedApproval) -> Answer:
        """In a process of its own, so to speak: with a new connection to the ledger."""
        ledger, posting = Ledger(self.folder / "ledger.sqlite"), self.posting(self.login)
        self.ledgers.append(ledger)
        given: dict[str, Any] = {
            "ledger": ledger, "vault": "v1", "id": "exec-1", "key": sshsig.PublicKey.of(OWNER_KEY), "secret": b"s" * 32,
            "now": self.clock.now, "limit": lambda: MANY, "dry_run": lambda: False, "reached": self._reached,
        }  # fmt: skip
        if isinstance(action, PostInvoice):
            poster: Executor[PostInvoice] = Executor(PostConnector(lambda _: posting, self.clock.now), **given)
            return poster.execute(action, signed)
        payer: Executor[RegisterPayment] = Executor(PaymentConnector(lambda _: posting, self.clock.now), **given)
        return payer.execute(action, signed)

    def _reached(self, step: str) -> None:
        if step == self.die_at:
            raise Died(step)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Server() as server:
        made = Desk(tmp_path, server)
        yield made
        for ledger in made.ledgers:
            ledger.close()


def test_an_approved_draft_is_posted_once_however_often_it_is_asked_for(desk: Desk) -> None:
    move = desk.draft()
    action = desk.invoice(move)
    signed = desk.approve(action)
    answers = [desk.execute(action, signed) for _ in range(3)]
    assert all(isinstance(answer, Done) and answer.effect.detail == "INV/2026/11/0001" for answer in answers)
    assert desk.server.records.posted() == [action.digest]
    assert [name for name, _ in desk.server.told] == ["countersign_post"]


def test_an_approved_payment_is_registered_once_however_often_it_is_asked_for(desk: Desk) -> None:
    move = desk.draft("in_invoice", 2)
    desk.server.records.post(move)
    action = desk.payment(move)
    signed = desk.approve(action)
    answers = [desk.execute(action, signed) for _ in range(3)]
    assert all(isinstance(answer, Done) for answer in answers)
    assert [(paid["approval"], str(paid["amount"])) for paid in desk.server.records.payments] == [
        (action.digest, "50.00")
    ]


def test_what_the_owner_reads_is_what_the_record_says(desk: Desk) -> None:
    action = desk.invoice(desk.draft())
    (line,) = action.lines
    assert (action.partner.name, action.reference, action.currency) == ("Ada Lovelace Ltd", "PO 1", "EUR")
    assert (line.description, line.quantity, line.unit_price, line.subtotal) == (
        "Consulting",
        "2.00",
        "100.00",
        "200.00",
    )
    assert (action.untaxed, action.tax, action.total) == ("200.00", "30.00", "230.00")
    bill = desk.invoice(desk.draft("in_invoice", 2))
    assert (bill.bank_account, bill.total) == ("DE02120300000000202051", "230.00")


LIES: list[dict[str, Any]] = [
    {"total": "0.23", "untaxed": "0.20", "tax": "0.03"}, {"reference": "other"}, {"due_date": "2027-01-01"},
    {"bank_account": "LT1"}, {"currency": "USD"}, {"invoice_date": "2026-11-24"},
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: next(iter(lie)))
def test_words_that_are_not_those_of_the_record_are_refused_though_its_hash_is_right(
    desk: Desk, lie: dict[str, Any]
) -> None:
    """A hostile Cloud shows the owner one thing, and names the state of another."""
    action = desk.invoice(desk.draft()).model_copy(update=lie)
    answer = desk.execute(action, desk.approve(action))
    assert isinstance(answer, Refusal)
    assert "something else than the approved words" in answer.reason
    assert desk.server.records.posted() == []


def test_a_payment_in_other_words_than_the_record_is_refused(desk: Desk) -> None:
    move = desk.draft("in_invoice", 2)
    desk.server.records.post(move)
    for lie in ({"bank_account": "LT1"}, {"document": "BILL/1"}, {"journal": Journal(id=3, name="Other bank")},
                {"journal": Journal(id=1, name="Customer Invoices")}):  # fmt: skip
        action = desk.payment(move).model_copy(update=lie)
        assert isinstance(desk.execute(action, desk.approve(action, secrets.token_hex(8))), Refusal)
    assert desk.server.records.payments == []


def test_a_record_that_changed_since_is_refused_and_goes_back_to_the_owner(desk: Desk) -> None:
    move = desk.draft()
    action = desk.invoice(move)
    move["ref"] = "PO 2"
    answer = desk.execute(action, desk.approve(action))
    assert isinstance(answer, Refusal)
    assert "changed" in answer.reason
    assert desk.server.records.posted() == []


def test_what_somebody_posted_by_hand_is_refused_not_claimed(desk: Desk) -> None:
    move = desk.draft()
    action = desk.invoice(move)
    desk.server.records.post(move)
    answer = desk.execute(action, desk.approve(action))
    assert isinstance(answer, Refusal)
    assert desk.server.records.posted() == []


def test_a_lost_answer_of_a_post_is_settled_by_the_record(desk: Desk) -> None:
    action = desk.invoice(desk.draft())
    desk.server.fates.append(Fate.ANSWER_LOST)
    assert isinstance(desk.execute(action, desk.approve(action)), Done)
    assert desk.server.records.posted() == [action.digest]


def test_a_post_that_was_lost_on_the_way_waits_while_it_may_be_under_way_and_is_then_tried_again(desk: Desk) -> None:
    action = desk.invoice(desk.draft())
    signed = desk.approve(action)
    desk.server.fates.append(Fate.REQUEST_LOST)
    assert isinstance(desk.execute(action, signed), Unsure)
    assert isinstance(desk.execute(action, signed), Unsure)
    desk.clock.tick(LATER)
    assert isinstance(desk.execute(action, signed), Waiting)
    desk.clock.tick(timedelta(hours=1))
    assert isinstance(desk.execute(action, signed), Done)
    assert desk.server.records.posted() == [action.digest]
    assert len(desk.server.told) == 2


@pytest.mark.parametrize(("fate", "paid"), [(Fate.ANSWER_LOST, 1), (Fate.REQUEST_LOST, 0)])
def test_a_payment_whose_answer_was_lost_is_found_or_put_to_the_owner_and_never_repeated(
    desk: Desk, fate: Fate, paid: int
) -> None:
    move = desk.draft("in_invoice", 2)
    desk.server.records.post(move)
    action = desk.payment(move)
    signed = desk.approve(action)
    desk.server.fates.append(fate)
    for _ in range(4):
        assert isinstance(desk.execute(action, signed), Done if paid else Unsure)
        desk.clock.tick(timedelta(hours=2))
    assert len(desk.server.records.payments) == paid
    assert len(desk.server.told) == 1


def test_a_payment_that_surely_did_not_happen_is_not_tried_again_by_itself(desk: Desk) -> None:
    move = desk.draft("in_invoice", 2)
    desk.server.records.post(move)
    action = desk.payment(move)
    signed = desk.approve(action)
    desk.server.fates.append(Fate.UNDONE)
    for _ in range(3):
        answer = desk.execute(action, signed)
        assert isinstance(answer, Refusal)
        assert "never tried again by itself" in answer.reason
        desk.clock.tick(timedelta(hours=2))
    assert desk.server.records.payments == []
    again = desk.approve(action)
    assert isinstance(desk.execute(action, again), Done), "the owner's new word pays"
    assert len(desk.server.records.payments) == 1


def test_a_post_undone_by_a_concurrent_change_is_tried_again_after_a_rest(desk: Desk) -> None:
    action = desk.invoice(desk.draft())
    signed = desk.approve(action)
    desk.server.fates.append(Fate.UNDONE)
    assert isinstance(desk.execute(action, signed), Waiting)
    desk.clock.tick(timedelta(minutes=2))
    assert isinstance(desk.execute(action, signed), Done)


def test_the_books_away_and_back_again_on_the_same_port(desk: Desk) -> None:
    action = desk.invoice(desk.draft())
    signed = desk.approve(action)
    desk.server.stop()
    waiting = desk.execute(action, signed)
    assert isinstance(waiting, Waiting)
    desk.server.start()
    desk.clock.tick(timedelta(minutes=2))
    assert isinstance(desk.execute(action, signed), Done)
    assert desk.server.records.posted() == [action.digest]


def test_a_refused_key_pauses_every_effect_and_nothing_is_used_up(desk: Desk) -> None:
    action = desk.invoice(desk.draft())
    signed = desk.approve(action)
    right, desk.server.keys["local"] = desk.server.keys["local"], "another"
    desk.known = {"another": desk.posting(key=right)}
    assert isinstance(desk.execute(action, signed), Waiting)
    assert "login failed" in str(desk.ledgers[0].paused())
    assert right not in str(desk.ledgers[0].paused())
    desk.server.keys["local"] = right
    desk.clock.tick(timedelta(hours=1))
    paused = desk.execute(action, signed)
    assert isinstance(paused, Waiting)
    assert paused.paused
    desk.ledgers[0].resume()
    assert isinstance(desk.execute(action, signed), Done)


def test_the_drafting_user_posts_nothing_whatever_is_signed(desk: Desk) -> None:
    action = desk.invoice(desk.draft())
    desk.login = "agent"
    assert isinstance(desk.execute(action, desk.approve(action)), Refusal)
    assert desk.server.records.posted() == []


@pytest.mark.parametrize("kind", ["post", "payment"])
@pytest.mark.parametrize("step", ["started", "performed", "outcome", "copied"])
def test_a_death_at_any_step_never_leads_to_a_second_act(desk: Desk, step: str, kind: str) -> None:
    records = desk.server.records
    move = desk.draft("in_invoice", 2)
    if kind == "payment":
        records.post(move)
    action: PostInvoice | RegisterPayment = desk.payment(move) if kind == "payment" else desk.invoice(move)
    signed = desk.approve(action)
    desk.die_at = step
    with pytest.raises(Died):
        desk.execute(action, signed)
    desk.die_at = ""
    happened = step != "started"
    assert isinstance(desk.execute(action, signed), Done if happened else Unsure)
    desk.clock.tick(LATER)
    after = desk.execute(action, signed)
    if happened:
        assert isinstance(after, Done)
    else:
        assert isinstance(after, Waiting if kind == "post" else Unsure), (
            "a post is tried again, a payment is asked about"
        )
    acts = records.posted() if kind == "post" else [paid["approval"] for paid in records.payments]
    assert acts == [action.digest] * happened


@pytest.mark.parametrize("kind", ["post", "payment"])
def test_two_hundred_acts_with_a_fifth_of_the_answers_lost_happen_at_most_once_and_every_doubt_is_told(
    tmp_path: Path, kind: str
) -> None:
    with Server(one_in=5, chance=Random(11)) as server:
        desk = Desk(tmp_path, server)
        records, told, actions = server.records, dict[str, str](), dict[str, PostInvoice | RegisterPayment]()
        for number in range(200):
            move = desk.draft("in_invoice", 2, price=10.0 + number)
            if kind == "payment":
                records.post(move)
            action: PostInvoice | RegisterPayment = (
                desk.payment(move, "1.00") if kind == "payment" else desk.invoice(move)
            )
            task = f"{number:016}"
            signed = desk.approve(action, task)
            first = desk.execute(action, signed)
            assert type(desk.execute(action, signed)) is type(first)
            told[task], actions[task] = type(first).__name__, action
        acts = records.posted() if kind == "post" else [paid["approval"] for paid in records.payments]
        fates = deque(fate for _, fate in server.told)
        lost = sum(fate is not Fate.ANSWERED for fate in fates)
        assert 0.12 < lost / 200 < 0.28
        assert len(acts) == len(set(acts)), "an approval acted twice"
        assert len(fates) == 200, "something was asked for twice"
        unsure = {task for task, what in told.items() if what == "Unsure"}
        assert {task for task in told if actions[task].digest not in acts} == unsure
        assert {effect.task for effect in desk.ledgers[0].unknown()} == unsure
        assert set(told.values()) == {"Done", "Unsure"}
        for ledger in desk.ledgers:
            ledger.close()
