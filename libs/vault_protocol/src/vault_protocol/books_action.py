"""Acts on the books: each names the record, all that is in it for people, and the hash of the state it was seen in.

Odoo holds the record against that hash inside the posting transaction; what changed since is refused there.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .action_base import ActionBase, Amount, Currency, Day, Hex64, Line, Strict

RecordId = Annotated[int, Field(gt=0, lt=2**31)]
MoveType = Literal["out_invoice", "out_refund", "in_invoice", "in_refund"]


class Party(Strict):
    """Whom the record is with, as the books know them."""

    id: RecordId
    name: Annotated[Line, Field(min_length=1)]
    vat: Line = ""


class Journal(Strict):
    """A bank or cash journal, as the books know it."""

    id: RecordId
    name: Annotated[Line, Field(min_length=1)]


class InvoiceLine(Strict):
    """One line that counts. `taxes` are their names in the books, one after the other."""

    description: Line
    quantity: Amount
    unit_price: Amount
    discount: Amount = "0.00"
    """In per cent."""
    taxes: Line = ""
    subtotal: Amount


class PostInvoice(ActionBase):
    """Post one draft of the books: customer invoice, vendor bill, or a credit note of either."""

    type: Literal["post_invoice"] = "post_invoice"
    record: RecordId
    move_type: MoveType
    partner: Party
    reference: Line = ""
    """Ours on an invoice, the vendor's number on a bill."""
    invoice_date: Day
    due_date: Day
    currency: Currency
    lines: Annotated[tuple[InvoiceLine, ...], Field(min_length=1, max_length=300, strict=False)]
    untaxed: Amount
    tax: Amount
    total: Amount
    bank_account: Line = ""
    """Where a bill wants its money."""
    state_sha256: Hex64

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if sum((Decimal(line.subtotal) for line in self.lines), Decimal(0)) != Decimal(self.untaxed):
            raise ValueError("the lines do not add up to the untaxed amount")
        if Decimal(self.untaxed) + Decimal(self.tax) != Decimal(self.total):
            raise ValueError("untaxed amount and tax do not add up to the total")
        return self


class RegisterPayment(ActionBase):
    """Write one payment of a posted invoice or bill into the books. It moves no money."""

    type: Literal["register_payment"] = "register_payment"
    record: RecordId
    direction: Literal["outbound", "inbound"]
    """Money that left, or money that came."""
    partner: Party
    document: Annotated[Line, Field(min_length=1)]
    """The number the books gave it."""
    reference: Line = ""
    journal: Journal
    amount: Amount
    currency: Currency
    date: Day
    residual: Amount
    """What was open when this was drafted."""
    bank_account: Line = ""
    """The other side's account, as the books or its bill have it."""
    state_sha256: Hex64

    @model_validator(mode="after")
    def _pays_what_is_open(self) -> Self:
        if not 0 < Decimal(self.amount) <= Decimal(self.residual):
            raise ValueError(f"an amount of {self.amount} does not fit what is open ({self.residual})")
        return self
