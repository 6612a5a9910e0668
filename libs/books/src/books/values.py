"""What the books hold, as frozen values. Amounts are Decimal, with their currency beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a move is. The value is Odoo's `move_type`."""

    INVOICE = "out_invoice"
    CREDIT_NOTE = "out_refund"
    BILL = "in_invoice"
    BILL_REFUND = "in_refund"
    ENTRY = "entry"
    RECEIPT = "out_receipt"
    PURCHASE_RECEIPT = "in_receipt"


DRAFTED = frozenset({Kind.INVOICE, Kind.CREDIT_NOTE, Kind.BILL, Kind.BILL_REFUND})
"""What may be drafted."""


class State(StrEnum):
    """How far a move is."""

    DRAFT = "draft"
    POSTED = "posted"
    CANCELLED = "cancel"


@dataclass(frozen=True)
class Money:
    """An amount with the code of its currency, at the currency's own number of decimals."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


@dataclass(frozen=True)
class Partner:
    """Somebody the company deals with."""

    id: int
    name: str
    email: str = ""
    vat: str = ""
    lang: str = ""
    """As Odoo spells it: `de_DE`."""


@dataclass(frozen=True)
class BankAccount:
    """Where somebody is paid."""

    id: int
    number: str


@dataclass(frozen=True)
class Product:
    """Something that is sold or bought. The price is the list price in the company's currency."""

    id: int
    name: str
    code: str
    price: Money


@dataclass(frozen=True)
class Line:
    """One line of an invoice, without its taxes."""

    label: str
    quantity: Decimal
    unit_price: Decimal
    subtotal: Money
    product: int | None = None
    taxes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Move:
    """An invoice, bill, credit note or entry, as it is now."""

    id: int
    number: str
    """Empty until it has one."""
    kind: Kind
    state: State
    partner: Partner | None
    issued: date | None
    due: date | None
    reference: str
    total: Money
    untaxed: Money
    residual: Money
    payment_state: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class MoveState:
    """What the addon hashes: everything that a reader of the invoice or of the ledger would see.

    `sha256` is that of the content's canonical bytes and was computed again here; `approval` is the digest of the
    approval under which the move was posted, `payments` those under which payments were registered.
    """

    move: int
    sha256: str
    state: State
    payment_state: str
    approval: str
    payments: tuple[str, ...]
    content: dict[str, Any] = field(repr=False)
    number: str = ""


@dataclass(frozen=True)
class Balance:
    """What an account holds; credit is negative."""

    account: str
    name: str
    balance: Money


@dataclass(frozen=True)
class Owed:
    """One open item of a customer."""

    partner: int
    name: str
    move: int
    number: str
    due: date
    residual: Money
    days_over: int
    """How many days after its due date; negative before it."""


@dataclass(frozen=True)
class Figure:
    """A number with the query it comes from."""

    value: Money
    query: str
