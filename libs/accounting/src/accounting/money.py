"""Amounts as people write them. What could be read in two ways is not read at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from vault_protocol.action_base import spell

SIGNS = {"$": "USD", "€": "EUR", "£": "GBP"}
_CODES = "USD|EUR|GBP|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|JPY"
_NUMBER = r"\d{1,3}(?:[,.' \u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_MONEY = re.compile(
    rf"(?<![\w.,])(?:(?P<sign>[$€£])\s?(?P<a>{_NUMBER})|(?P<code>{_CODES})\s?(?P<b>{_NUMBER})"
    rf"|(?P<c>{_NUMBER})\s?(?:(?P<after>[€£$])|(?P<behind>{_CODES})\b))(?![\d])"
)


@dataclass(frozen=True, order=True)
class Money:
    """A value and the ISO code of its currency."""

    value: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.value:,.2f} {self.currency}"

    @property
    def amount(self) -> str:
        """As actions spell it."""
        return spell(self.value)


def read(text: str) -> Money | None:
    """The amount this text is, whole; None when it is none or could be another."""
    found = _MONEY.fullmatch(text.strip())
    return _money(found) if found else None


def find(text: str) -> tuple[Money, ...]:
    """Every amount in a text, in order."""
    return tuple(money for found in _MONEY.finditer(text) if (money := _money(found)) is not None)


def number(text: str) -> Decimal | None:
    """`1,234.50` or `1.234,50`: a lone separator before three digits groups, before one or two it is the decimal."""
    if not re.fullmatch(_NUMBER, text):
        return None
    grouped = re.sub(r"[' \u00a0\u202f]", "", text)
    whole, mark, cents = grouped, "", ""
    if tail := re.fullmatch(r"(.*)([.,])(\d{1,2})", grouped):
        whole, mark, cents = tail.groups()
    groups = set(re.findall("[.,]", whole))
    if len(groups) > 1 or (mark and mark in groups):
        return None
    return Decimal(re.sub("[.,]", "", whole) + ("." + cents if cents else ""))


def _money(found: re.Match[str]) -> Money | None:
    value = number(found["a"] or found["b"] or found["c"])
    sign = found["sign"] or found["after"]
    currency = SIGNS[sign] if sign else found["code"] or found["behind"]
    return Money(value, currency) if value is not None else None
