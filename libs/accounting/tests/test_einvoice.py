"""E-invoices: one bill in three wrappings, and the bills that are not taken."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from libs.accounting.tests import samples

from accounting import einvoice
from accounting.einvoice import BillLine, NotABill


@pytest.mark.parametrize("content", [samples.ubl(), samples.cii(), samples.factur_x()], ids=["UBL", "CII", "Factur-X"])
def test_the_same_bill_is_read_from_each_wrapping(content: bytes) -> None:
    bill = einvoice.of_file(content)
    assert (bill.number, bill.seller, bill.seller_vat, bill.iban) == ("R-2026-17", "Paper Mill", "DE2", samples.IBAN)
    assert (bill.issued, bill.due, bill.currency) == (date(2026, 11, 20), date(2026, 12, 20), "EUR")
    assert bill.lines == (BillLine("Paper, A4", Decimal(4), Decimal(25), Decimal(100)),)
    assert (bill.untaxed, bill.tax, bill.total) == (Decimal(100), Decimal(19), Decimal(119))


BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>"""
READS = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>"""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"%PDF-1.4\n%%EOF\n", "no e-invoice can be read"), (b"", "no XML"), (b"<Invoice/>", "a Invoice is no invoice"),
        (b"hello", "no XML"), (samples.ubl(line="99.00"), "do not add up"), (samples.ubl(total="NaN"), "no amount"),
        (samples.ubl(kind="381"), "document of kind 381"), (samples.ubl(number=""), "does not say its number"),
        (BOMB, "document type"), (READS + samples.ubl().partition(b"?>")[2], "document type"),
    ],
)  # fmt: skip
def test_what_is_no_bill_or_does_not_agree_with_itself_is_not_taken(content: bytes, reason: str) -> None:
    with pytest.raises(NotABill, match=reason):
        einvoice.of_file(content)


def test_no_entity_is_ever_resolved() -> None:
    with pytest.raises(NotABill) as told:
        einvoice.of_file(READS + b"<x>&f;</x>")
    assert "localhost" not in str(told.value)
