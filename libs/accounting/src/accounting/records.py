"""From a record of the books to the act it would be. Cloud asks with it; Local makes it again of what it reads.

Everything comes from the content whose hash the books compare when they act: an action made here says what that
record says, and nothing besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from books.values import MoveState, State
from vault_protocol.action import BadAction, InvoiceLine, Journal, Party, PostInvoice, RegisterPayment
from vault_protocol.action_base import spell
from vault_protocol.plain import visible

LONGEST = 500
"""Characters of one text of the record that stand in an action; the hash covers all of them."""

_CREDITED = ("out_invoice", "in_refund")
"""Kinds that bring money."""


def invoice_of(state: MoveState, account: str) -> PostInvoice:
    """Posting this draft. Raises BadAction that says what the record lacks."""
    told = state.content
    if state.state is not State.DRAFT:
        raise BadAction(f"record {state.move} is {state.state.value}, only a draft is posted")
    try:
        lines = tuple(_lines(told))
        issued = _day(told, "invoice_date")
        return PostInvoice(
            account=account,
            record=state.move,
            move_type=told["kind"],
            partner=_partner(told),
            reference=_line(told["reference"]),
            invoice_date=issued,
            due_date=_due(told) or issued,
            currency=told["currency"],
            lines=lines,
            untaxed=_amount(told["untaxed"]),
            tax=_amount(told["tax"]),
            total=_amount(told["total"]),
            bank_account=_bank(told),
            state_sha256=state.sha256,
        )
    except ValidationError as error:
        raise BadAction(_first(error)) from None
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise BadAction(f"record {state.move} cannot be read: {type(error).__name__} {error}") from None


def payment_of(state: MoveState, account: str, *, journal: Journal, amount: Decimal, on: date) -> RegisterPayment:
    """One payment of this posted record. Raises BadAction."""
    told = state.content
    if state.state is not State.POSTED:
        raise BadAction(f"record {state.move} is {state.state.value}, only what is posted is paid")
    try:
        return RegisterPayment(
            account=account,
            record=state.move,
            direction="inbound" if told["kind"] in _CREDITED else "outbound",
            partner=_partner(told),
            document=_line(state.number or told["number"]),
            reference=_line(told["reference"]),
            journal=journal,
            amount=spell(amount),
            currency=told["currency"],
            date=on.isoformat(),
            residual=_amount(told["residual"]),
            bank_account=_bank(told),
            state_sha256=state.sha256,
        )
    except ValidationError as error:
        raise BadAction(_first(error)) from None
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise BadAction(f"record {state.move} cannot be read: {type(error).__name__} {error}") from None


def commercial_partner(state: MoveState) -> int:
    """Who answers for the record: the company behind a contact. Raises BadAction."""
    try:
        return int(state.content["commercial_partner"][0])
    except (KeyError, TypeError, ValueError, IndexError):
        raise BadAction(f"record {state.move} names no partner") from None


def _lines(told: Mapping[str, Any]) -> Iterator[InvoiceLine]:
    """Neither taxes nor terms, nor headings: what the untaxed amount is made of, in the order of the record."""
    for line in sorted(told["lines"], key=lambda one: int(one["sequence"])):
        if line["role"] != "line":
            continue
        yield InvoiceLine(
            description=_line(line["label"]),
            quantity=_amount(line["quantity"]),
            unit_price=_amount(line["unit_price"]),
            discount=_amount(line["discount"]),
            taxes=_line(", ".join(str(name) for _, name in line["taxes"])),
            subtotal=_amount(line["subtotal"]),
        )


def _partner(told: Mapping[str, Any]) -> Party:
    number, name, vat, *_ = told["partner"]
    return Party(id=number, name=_line(name), vat=_line(vat))


def _bank(told: Mapping[str, Any]) -> str:
    return _line(told["bank"][1]) if told["bank"] else ""


def _due(told: Mapping[str, Any]) -> str:
    terms = [line["maturity"] for line in told["lines"] if line["role"] == "term" and line["maturity"]]
    return str(told["due"] or max(terms, default=""))


def _day(told: Mapping[str, Any], name: str) -> str:
    if not told[name]:
        raise BadAction(f"{name}: the record has none; set it in the books first")
    return str(told[name])


def _amount(text: str) -> str:
    return spell(Decimal(text))


def _line(text: str) -> str:
    line = " ".join(visible(str(text)).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'action'}: {first['msg']}"
