"""Requests for an invoice: what the mail says is read, what it does not say is missing, nothing is made up."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from accounting import requested
from accounting.money import Money
from accounting.pricing import priced
from accounting.requested import Wanted
from books.values import Money as BooksMoney
from books.values import Product

HOUR = Product(1, "Consulting hour", "HOUR", BooksMoney(Decimal(120), "EUR"))
LOGO = Product(2, "Logo design", "LOGO", BooksMoney(Decimal(900), "EUR"))
LOGO_2 = Product(3, "Logo design, large", "LOGO-L", BooksMoney(Decimal(1900), "EUR"))


def catalogue(text: str) -> Sequence[Product]:
    return [
        p for p in (HOUR, LOGO, LOGO_2) if text.casefold() in p.name.casefold() or text.casefold() in p.code.casefold()
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Please send us an invoice for 3 hours of consulting.", "Could you invoice us for the workshop?",
        "Can you issue the invoice for October?", "Bitte schicken Sie uns eine Rechnung über 2 Tage.",
        "Könnten Sie die Rechnung stellen?", "Merci de nous envoyer la facture.", "Invoice me please",
    ],
)  # fmt: skip
def test_a_mail_that_wants_an_invoice_is_recognised(text: str) -> None:
    assert requested.asks_for_invoice("Hello", text)


@pytest.mark.parametrize(
    "text",
    [
        "Please find attached our invoice 17.", "I have a question about invoice INV/2026/0001, can you help?",
        "Anbei unsere Rechnung, bitte überweisen.", "Could you send a copy of the invoice?", "Your invoice was paid.",
        "Can we meet on Friday?", "We want to say that our invoice is overdue, please pay.",
    ],
)  # fmt: skip
def test_a_mail_that_brings_or_discusses_one_is_not(text: str) -> None:
    assert not requested.asks_for_invoice("Hello", text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Please invoice 3 hours of consulting.", [Wanted(Decimal(3), "hours", "consulting")]),
        ("Invoice us:\n- 2.5 h Consulting hour\n- 1 x Logo design at € 900 each\n",
         [Wanted(Decimal("2.5"), "h", "Consulting hour"),
          Wanted(Decimal(1), "x", "Logo design", Money(Decimal(900), "EUR"))]),
        ("Bitte Rechnung über 2 Tage Workshop zu 800 €.",
         [Wanted(Decimal(2), "tage", "Workshop", Money(Decimal(800), "EUR"))]),
        ("Please send an invoice for what we agreed.", []),
        ("Please invoice us by 30 November 2026, order 4711.", []),
    ],
)  # fmt: skip
def test_quantities_texts_and_prices_are_those_of_the_mail(text: str, lines: list[Wanted]) -> None:
    assert list(requested.read(text).lines) == lines


def test_reference_and_the_owners_remark() -> None:
    text = "Please invoice 3 hours of consulting. Our PO number is PO-4711."
    assert requested.read(text).reference == "PO-4711"
    assert requested.read("customer: thief@evil.example\n").customer == "", "a stranger's mail names no customer"
    found = requested.read(text, remark="4 hours of consulting\ncustomer: ada@customer.example")
    assert found.lines == (Wanted(Decimal(4), "hours", "consulting"),)
    assert found.customer == "ada@customer.example"


def test_a_known_product_has_the_books_price_and_another_price_in_the_mail_is_told() -> None:
    found = priced([Wanted(Decimal(3), "h", "Consulting hour", Money(Decimal(1), "EUR"))], catalogue)
    (line,) = found.lines
    assert (line.product, line.unit_price, line.quantity) == (1, Decimal(120), Decimal(3))
    assert found.warnings == ("The mail says 1.00 EUR for “Consulting hour”; the draft has the books' price, 120 EUR.",)
    assert found.missing == ()


def test_hours_without_more_are_the_books_hours() -> None:
    assert [line.product for line in priced([Wanted(Decimal(3), "hours", "consulting")], catalogue).lines] == [1]
    assert [line.product for line in priced([Wanted(Decimal(3), "hours", "")], catalogue).lines] == [1]


def test_an_unknown_product_is_drafted_only_at_a_price_that_the_mail_names() -> None:
    found = priced([Wanted(Decimal(2), "days", "Workshop", Money(Decimal(800), "EUR"))], catalogue)
    assert [(line.label, line.unit_price, line.product) for line in found.lines] == [("Workshop", Decimal(800), None)]
    assert "the sender's word" in found.warnings[0]
    nothing = priced([Wanted(Decimal(2), "days", "Workshop")], catalogue)
    assert nothing.lines == ()
    assert nothing.missing == (
        "a price for “2 days Workshop”: the books have no such product, and the mail names none",
    )


def test_what_could_be_several_products_is_asked_about() -> None:
    assert "which product is meant" in priced([Wanted(Decimal(1), "x", "design")], catalogue).missing[0]
    assert [line.product for line in priced([Wanted(Decimal(1), "x", "Logo design")], catalogue).lines] == [2]


def test_a_request_that_names_nothing_is_missing_everything() -> None:
    assert priced([], catalogue).missing == ("what is to be invoiced: quantity and product",)
