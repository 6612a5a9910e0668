"""Paying: money that leaves an account of the owner."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from .action_base import ActionBase, Amount, Currency, Day, Line
from .bank_account import bic_fault, iban_fault

_REFERENCE = re.compile(r"[A-Za-z0-9/?:().,'+ -]{1,35}")


def _iban(text: str) -> str:
    if fault := iban_fault(text):
        raise ValueError(fault)
    return text


def _bic(text: str) -> str:
    if text and (fault := bic_fault(text)):
        raise ValueError(fault)
    return text


def _sum(text: str) -> str:
    value = Decimal(text)
    if not Decimal("0.01") <= value <= Decimal("999999999.99") or value != value.quantize(Decimal("0.01")):
        raise ValueError(f"{text} is no amount that a bank transfers")
    return text


def _end_to_end(text: str) -> str:
    if not _REFERENCE.fullmatch(text) or text.strip(" /") != text or "//" in text:
        raise ValueError(
            f"{text!r} is no reference that every bank carries: 35 characters of A-Z a-z 0-9 / ? : ( ) . , ' + -"
        )
    return text


class PayTransfer(ActionBase):
    """Transfer money to one account. `account` is the owner's own, by its name on this machine."""

    step_up: ClassVar[bool] = True
    type: Literal["pay_transfer"] = "pay_transfer"
    creditor: Annotated[Line, Field(min_length=1, max_length=70)]
    iban: Annotated[str, AfterValidator(_iban)]
    bic: Annotated[str, AfterValidator(_bic)] = ""
    amount: Annotated[Amount, AfterValidator(_sum)]
    currency: Currency
    reference: Annotated[Line, Field(max_length=140)] = ""
    """What the creditor reads on their statement."""
    end_to_end: Annotated[str, AfterValidator(_end_to_end)]
    """The reference that every bank on the way carries unchanged."""
    execution: Day
