"""Amounts as people write them: one value or none."""

from decimal import Decimal

import pytest

from accounting import money
from accounting.money import Money


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("$10,000", "10000", "USD"), ("€ 50", "50", "EUR"), ("50 €", "50", "EUR"), ("1.234,50 EUR", "1234.50", "EUR"),
        ("1,234.50 EUR", "1234.50", "EUR"), ("CHF 1'234.50", "1234.50", "CHF"), ("1 234,5 €", "1234.5", "EUR"),
        ("1.000 €", "1000", "EUR"), ("$0.99", "0.99", "USD"), ("1.234.567,00 €", "1234567.00", "EUR"),
    ],
)  # fmt: skip
def test_an_amount_is_read_in_either_spelling(text: str, value: str, currency: str) -> None:
    assert money.read(text) == Money(Decimal(value), currency)


@pytest.mark.parametrize(
    "text", ["50", "€", "ten euros", "1,23,45 €", "1.234.50 €", "€ 1,2345", "50 BTC", "-5 €", "5 €€"]
)
def test_what_is_no_amount_or_could_be_another_is_not_read(text: str) -> None:
    assert money.read(text) is None


def test_every_amount_of_a_text_is_found_in_order() -> None:
    text = "Please invoice 2 days at 800 € each, so EUR 1,600.00 (not v1.2 or 2026 or $5x)."
    assert [str(found) for found in money.find(text)] == ["800.00 EUR", "1,600.00 EUR", "5.00 USD"]
