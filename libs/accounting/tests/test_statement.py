"""Bank statements in four formats, and their movements held against the books."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from libs.accounting.tests import samples

from accounting import statement
from accounting.matching import Why, match
from accounting.statement import Entry, NotAStatement
from books.values import Kind, Money, Move, Partner, State

FILES = [("a.xml", samples.camt()), ("a.sta", samples.mt940()), ("a.ofx", samples.ofx()), ("a.csv", samples.csv())]


@pytest.mark.parametrize(("name", "content"), FILES, ids=["CAMT.053", "MT940", "OFX", "CSV"])
def test_the_same_movements_are_read_from_each_format(name: str, content: bytes) -> None:
    entries = statement.of_file(name, content)
    assert [(str(e.booked), e.amount, e.currency, e.party) for e in entries] == [
        (day, amount, "EUR", party) for day, amount, _, party in samples.MOVEMENTS
    ]
    assert all(text in entry.text for entry, (_, _, text, _) in zip(entries, samples.MOVEMENTS, strict=True))


def hostile(content: bytes, at: str, entity: str) -> bytes:
    """A good file that says an entity of its own after this tag."""
    begin = content.index(b"<Document")
    declared = f"<!DOCTYPE Document [<!ENTITY x {entity}>]>".encode()
    return content[:begin] + declared + content[begin:].replace(at.encode(), f"{at}&x;".encode(), 1)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.pdf", b"%PDF", "no CAMT"), ("a.csv", b"a;b\n1;2\n", "no column for booked"),
        ("a.xml", b"<Document", "cannot be read"),
        ("a.csv", b"Date,Amount,Currency\n03/04/2026,1.00,EUR\n", "two ways"),
        ("a.csv", b"Date,Amount,Currency\n2026-11-23,1.2.3,EUR\n", "is no amount"),
        ("a.csv", b"Date,Amount,Currency\n", "no movement"),
        ("a.xml", b'<!DOCTYPE Document [<!ENTITY x "y">]><Document>&x;</Document>', "cannot be read"),
        ("a.xml", hostile(samples.camt(), "<Ustrd>", 'SYSTEM "file:///etc/passwd"'), "BadXml"),
        ("a.xml", hostile(samples.camt(), "<Ustrd>", '"ha"'), "BadXml"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_for_sure_is_not_read(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(NotAStatement, match=reason):
        statement.of_file(name, content)


def move(id_: int, number: str, residual: str, kind: Kind = Kind.INVOICE, **changes: Any) -> Move:
    money = Money(Decimal(residual), "EUR")
    fields: dict[str, Any] = {
        "id": id_, "number": number, "kind": kind, "state": State.POSTED, "partner": Partner(1, "Ada Lovelace Ltd"),
        "issued": date(2026, 11, 1), "due": date(2026, 11, 15), "reference": "", "total": money, "untaxed": money,
        "residual": money, "payment_state": "not_paid",
    }  # fmt: skip
    return Move(**{**fields, **changes})


def entry(amount: str, text: str = "", party: str = "", currency: str = "EUR") -> Entry:
    return Entry(date(2026, 11, 20), Decimal(amount), currency, text, party)


OPEN = [
    move(1, "INV/2026/11/0001", "276.00"),
    move(2, "INV/2026/11/0002", "100.00", reference="PO-4711"),
    move(3, "BILL/2026/11/0001", "119.00", Kind.BILL, reference="R-2026-17", partner=Partner(2, "Paper Mill")),
]


@pytest.mark.parametrize(
    ("given", "id_", "why"),
    [
        (entry("276.00", "Rechnung INV/2026/11/0001"), 1, Why.NUMBER_AND_AMOUNT),
        (entry("276.00", "inv 2026 11 0001"), 1, Why.NUMBER_AND_AMOUNT),
        (entry("100.00", "order PO-4711"), 2, Why.REFERENCE_AND_AMOUNT),
        (entry("-119.00", "R-2026-17"), 3, Why.REFERENCE_AND_AMOUNT),
        (entry("50.00", "INV/2026/11/0001 part"), 1, Why.NUMBER),
        (entry("-119.00", "", "PAPER MILL"), 3, Why.PARTNER_AND_AMOUNT),
    ],
)
def test_a_movement_is_proposed_for_the_document_it_names(given: Entry, id_: int, why: Why) -> None:
    (proposal,) = match([given], OPEN).proposals
    assert (proposal.move.id, proposal.why) == (id_, why)


@pytest.mark.parametrize(
    "given",
    [
        entry("276.00"), entry("-276.00", "INV/2026/11/0001"), entry("276.01", "INV/2026/11/0001"),
        entry("276.00", "INV/2026/11/00012"), entry("276.00", "INV/2026/11/0001", currency="USD"),
        entry("119.00", "R-2026-17"), entry("275.00", "", "Ada Lovelace Ltd"), entry("0.00", "INV/2026/11/0001"),
    ],
)  # fmt: skip
def test_what_does_not_fit_exactly_is_listed_and_not_proposed(given: Entry) -> None:
    assert match([given], OPEN).unmatched == (given,)


def test_what_fits_several_is_told_and_nothing_is_chosen() -> None:
    twins = [move(1, "INV/2026/11/0001", "50.00"), move(2, "INV/2026/11/0002", "50.00")]
    given = entry("50.00", "", "Ada Lovelace Ltd")
    matched = match([given], twins)
    assert matched.several == ((given, tuple(twins)),)
    assert matched.proposals == ()


def test_no_document_is_proposed_for_two_movements() -> None:
    twice = [entry("276.00", "INV/2026/11/0001"), entry("276.00", "INV/2026/11/0001")]
    matched = match(twice, OPEN)
    assert [p.move.id for p in matched.proposals] == [1]
    assert matched.unmatched == (twice[1],)


def test_an_entity_in_an_ofx_file_is_no_more_than_its_letters() -> None:
    """OFX 2 is XML: what declares entities and names files in them gives neither."""
    declared = b'<!DOCTYPE OFX [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    content = samples.ofx().replace(b"<OFX>", declared + b"<OFX>").replace(b"<MEMO>", b"<MEMO>&x; ")
    try:
        entries = statement.of_file("a.ofx", content)
    except NotAStatement:
        return
    assert all("root:" not in entry.text for entry in entries)
