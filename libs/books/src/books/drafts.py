"""What a caller asks to be drafted. Values are checked here, and again by Odoo and its addon."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from books.errors import BooksRefused
from books.values import DRAFTED, Kind, Money

_KEY = re.compile(r"[a-z0-9][a-z0-9_.-]{2,99}")
_LARGEST = Decimal(10) ** 12


@dataclass(frozen=True)
class Key:
    """The external id of a draft: the same key never makes a second record, whoever was killed when."""

    text: str

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.text):
            raise BooksRefused(
                "bad-value", f"{self.text!r} is no key: lower-case letters, digits, `._-`, 3 to 100 of them"
            )

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class NewLine:
    """A line to be. `taxes` None leaves the choice to Odoo's rules for product and partner; () means none."""

    label: str
    unit_price: Decimal
    quantity: Decimal = Decimal(1)
    product: int | None = None
    account: int | None = None
    taxes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not self.label.strip() and self.product is None:
            raise BooksRefused("bad-value", "a line needs a label or a product")
        for name, number in (("quantity", self.quantity), ("unit price", self.unit_price)):
            if not number.is_finite() or abs(number) > _LARGEST:
                raise BooksRefused("bad-value", f"{name} {number} is not a number that fits an invoice")


@dataclass(frozen=True)
class NewMove:
    """An invoice, bill or credit note to be. `currency` is its three letters; empty is the company's."""

    kind: Kind
    partner: int
    lines: tuple[NewLine, ...]
    issued: date | None = None
    due: date | None = None
    reference: str = ""
    """The vendor's number on a bill, the customer's reference on an invoice."""
    narration: str = ""
    currency: str = ""
    origin: str = ""
    bank: int | None = None
    """Where it is to be paid: one of the accounts that the books have of the payee."""

    def __post_init__(self) -> None:
        if self.kind not in DRAFTED:
            raise BooksRefused("bad-value", f"{self.kind} is not drafted; known are {', '.join(sorted(DRAFTED))}")
        if not self.lines:
            raise BooksRefused("bad-value", "a draft needs a line")


@dataclass(frozen=True)
class NewPartner:
    """Somebody to be entered. An existing partner is never changed."""

    name: str
    email: str = ""
    vat: str = ""
    street: str = ""
    zip: str = ""
    city: str = ""
    country: str = ""
    """Two letters."""
    company: bool = True


@dataclass(frozen=True)
class NewQuotation:
    """A quotation to be, of products; only when Odoo has the module `sale`."""

    partner: int
    lines: tuple[NewLine, ...]
    valid_until: date | None = None
    reference: str = ""

    def __post_init__(self) -> None:
        if not self.lines or any(line.product is None for line in self.lines):
            raise BooksRefused("bad-value", "a quotation needs lines, and each needs a product")


@dataclass(frozen=True)
class Quotation:
    """A quotation as it is."""

    id: int
    number: str
    state: str
    partner: int
    total: Money


@dataclass(frozen=True)
class Drafted:
    """The record a key stands for. `fresh` is False when it had been there already."""

    model: str
    id: int
    fresh: bool
