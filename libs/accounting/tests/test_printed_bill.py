"""Bills on paper, so to speak: what says everything once is read, and whatever could be read otherwise is not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libs.accounting.tests import samples

from accounting import dates, iban, pdf_text, printed_bill
from accounting.einvoice import NotABill
from accounting.pdf_text import NoText

TEXT = "\n".join(samples.PRINTED)


def test_the_text_of_a_pdf_is_its_lines() -> None:
    assert pdf_text.of_pdf(samples.printed()).split("\n") == [line for line in samples.PRINTED if line]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"%PDF-1.4\n%%EOF\n", "cannot be read"),
        (samples.printed([""]), "no text"),
        (b"%PDF" * 3_000_000, "bytes"),
        (samples.printed(["x" * 1000] * 200), "longer than"),
    ],
    ids=["broken", "a scan", "too large", "too long"],
)
def test_a_pdf_without_a_text_of_usual_size_is_none(content: bytes, reason: str) -> None:
    with pytest.raises(NoText, match=reason):
        pdf_text.of_pdf(content)


def test_a_bill_that_says_everything_once_is_read() -> None:
    bill = printed_bill.read(TEXT)
    assert (bill.number, bill.issued, bill.due) == ("R-2026-17", date(2026, 11, 20), date(2026, 12, 20))
    assert (bill.untaxed, bill.tax, bill.total, bill.currency) == (Decimal(100), Decimal(19), Decimal(119), "EUR")
    assert bill.iban == samples.IBAN
    assert [(line.quantity, line.unit_price) for line in bill.lines] == [(Decimal(1), Decimal(100))]


@pytest.mark.parametrize(
    "lines",
    [
        ("Rechnung", "Rechnungsnummer: 4711/26", "Rechnungsdatum: 03.11.2026", "Zahlbar bis 17.11.2026",
         "Nettobetrag 1.000,00 €", "MwSt. 19 % 190,00 €", "Gesamtbetrag 1.190,00 €"),
        ("Facture n° 4711/26", "Date de facture : 3 novembre 2026", "Échéance : 17 novembre 2026",
         "Total HT 1 000,00 €", "TVA 19 % 190,00 €", "Total TTC 1 190,00 €"),
        ("Factura", "Factura número: 4711/26", "Fecha: 3 de noviembre de 2026", "Vencimiento: 17 de noviembre de 2026",
         "Base imponible", "1.000,00 €", "IVA 19 %: 190,00 €", "Total a pagar: 1.190,00 €"),
        ("Invoice", "Invoice No. 4711/26", "Date: November 3, 2026", "Due on 17/11/2026", "All amounts in EUR",
         "Subtotal 1,000.00", "VAT (19%) on 1,000.00 190.00", "Amount due 1,190.00"),
    ],
    ids=["de", "fr", "es", "en, without a currency beside the amounts"],
)  # fmt: skip
def test_it_is_read_in_four_languages(lines: Sequence[str]) -> None:
    bill = printed_bill.read("\n".join(lines))
    assert (bill.number, bill.issued, bill.due) == ("4711/26", date(2026, 11, 3), date(2026, 11, 17))
    assert (bill.untaxed, bill.tax, bill.total, bill.currency) == (Decimal(1000), Decimal(190), Decimal(1190), "EUR")


def test_without_a_word_of_tax_all_of_it_is_untaxed() -> None:
    lines = [line for line in samples.PRINTED if not line.startswith(("Net", "VAT"))]
    bill = printed_bill.read("\n".join(lines))
    assert (bill.untaxed, bill.tax) == (bill.total, Decimal(0))


def test_a_quantity_beside_an_amount_is_not_taken_for_thousands() -> None:
    lines = [line for line in samples.PRINTED if not line.startswith(("Net", "VAT", "Total", "4 x"))]
    with pytest.raises(NotABill, match="two numbers"):
        printed_bill.read("\n".join([*lines, "Total due 5 100.00 EUR"]))


@pytest.mark.parametrize(
    ("line", "instead", "reason"),
    [
        ("INVOICE", "Credit note", "something else"),
        ("INVOICE", "Reminder of your invoice", "something else"),
        ("INVOICE", "INVOICE, already paid", "something else"),
        ("INVOICE", "Invoice tax " + "1" * 90_000, "a line in it"),
        ("INVOICE", "INVOICE\nInvoice number: R-2026-18", "its number"),
        ("Invoice number: R-2026-17", "R-2026-17", "its number"),
        ("Invoice number: R-2026-17", "Invoice number: pending", "its number"),
        ("Invoice date: 20 November 2026", "20 November 2026", "its date"),
        ("Invoice date: 20 November 2026", "Invoice date: 03/04/2026", "could be another"),
        ("Invoice date: 20 November 2026", "Invoice date: 31.02.2026", "could be another"),
        ("Due date: 2026-12-20", "Due date: 2026-12-20\nPayment due: 2026-12-27", "is due"),
        ("Due date: 2026-12-20", "Due date: 2026-01-20", "is due"),
        ("Total due   119.00 EUR", "Total due   119.00 EUR\nAmount due  120.00 EUR", "its total"),
        ("Total due   119.00 EUR", "Total due   119.00 USD", "its currency"),
        ("Total due   119.00 EUR", "Total due   1.19,00.00 EUR", "its total"),
        ("Total due   119.00 EUR", "Total due   0.00 EUR", "above zero"),
        ("Total due   119.00 EUR", "119.00 EUR", "its total"),
        ("Total due   119.00 EUR", "Total due   119.00 EUR\nBalance brought forward 500.00 EUR", "larger"),
        ("VAT 19 %   19.00 EUR", "VAT 19 %   18.00 EUR", "do not add up"),
        ("VAT 19 %   19.00 EUR", "VAT 19 %", "do not add up"),
        ("Net amount   100.00 EUR", "", "do not add up"),
        (samples.PRINTED[-1], samples.PRINTED[-1] + "\nIBAN GB33BUKB20201555555555", "2 bank accounts"),
        (samples.PRINTED[-1], "IBAN DE02 1203 0000 0000 2020 52", "bank account in it cannot be read"),
    ],
)
def test_whatever_could_be_read_otherwise_is_not_taken(line: str, instead: str, reason: str) -> None:
    assert line in samples.PRINTED
    text = "\n".join(instead if one == line else one for one in samples.PRINTED)
    with pytest.raises(NotABill, match=re.escape(reason)):
        printed_bill.read(text)


@given(st.text(max_size=300), st.integers(0, len(TEXT)))
def test_no_text_breaks_the_reader(text: str, at: int) -> None:
    for whole in (text, TEXT[:at] + text + TEXT[at:]):
        try:
            bill = printed_bill.read(whole)
        except NotABill:
            continue
        assert bill.untaxed + bill.tax == bill.total


def test_a_name_is_in_a_text_word_by_word() -> None:
    assert printed_bill.names("PAPER MILL\nLane 1", "Paper Mill")
    assert not printed_bill.names("Paper Millers", "Paper Mill")
    assert not printed_bill.names("anything", "")


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_a_day_is_the_same_however_it_is_written(day: date) -> None:
    months = [
        "january",
        "février",
        "märz",
        "abril",
        "mai",
        "june",
        "juillet",
        "agosto",
        "september",
        "oct",
        "nov",
        "dez",
    ]
    assert dates.read(day.isoformat()) == dates.read(f"{day:%d.%m.%Y}") == day
    assert dates.read(f"{day.day}. {months[day.month - 1].title()} {day.year}") == day
    assert dates.read(f"{day:%d/%m/%Y}") in (day, None)
    assert dates.read(f"{day:%m/%d/%Y}") in (day, None)


def test_an_account_ends_where_its_country_says() -> None:
    assert iban.find("IBAN: DE02 1203 0000 0000 2020 51 BYLADEM1001, GB33BUKB20201555555555.") == {
        samples.IBAN, "GB33BUKB20201555555555",
    }  # fmt: skip
    assert iban.find("DE02120300000000202052 XX0212030000") == frozenset()
