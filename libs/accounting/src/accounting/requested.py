"""What a mail asks to be invoiced, read by rules. What it does not say is missing, never filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from accounting import money
from accounting.money import Money

READ = 20_000
_ASKS = re.compile(
    r"\b(?:invoice (?:me|us)\b|(?:please|could you|can you|would you|kindly|need|want)\b[^.?!\n]{0,60}\binvoices?\b"
    r"|(?:send|issue|make|prepare|raise|write)\b[^.?!\n]{0,30}\b(?:an?|the|your|us|me)\b[^.?!\n]{0,20}\binvoice\b"
    r"|(?:bitte|könnten sie|können sie|kannst du)\b[^.?!\n]{0,80}\brechnung\b"
    r"|rechnung (?:stellen|schicken|senden|schreiben)"
    r"|(?:merci de|pouvez-vous|veuillez)\b[^.?!\n]{0,60}\bfacture\b|(?:por favor|puede)\b[^.?!\n]{0,60}\bfactura\b)",
    re.IGNORECASE,
)
_BILL = "(?:invoice|bill|rechnung|facture|factura)"
_BRINGS = re.compile(
    rf"\b(?:attached|enclosed|find|here is|anbei|im anhang|ci-joint|adjunt\w+)\b[^.?!\n]{{0,40}}\b{_BILL}\b"
    rf"|\b(?:our|my|unsere|notre|nuestra) {_BILL}\b"
    r"|\b(?:about|regarding|paid|overdue|copy of)\b[^.?!\n]{0,40}\binvoice\b",
    re.IGNORECASE,
)
_UNITS = (
    r"(?:x|×|\*|hours?|hrs?|h|days?|pcs\.?|pieces?|units?|licen[cs]es?"
    r"|stunden?|std\.?|tage?|stück|heures?|jours?|horas?|días?)"
)
_LINE = re.compile(
    rf"(?<![\w.,/-])(?P<quantity>\d{{1,5}}(?:[.,]\d{{1,2}})?)\s*(?P<unit>{_UNITS})(?![\w])\s*(?:of|von|de|d')?\s*"
    r"(?P<what>[^\n,;:@()]{0,80}?)\s*"
    r"(?:(?:@|at|à|zu|je|each|a|por)\s*(?P<price>[^\n;,)]{1,24}?)\s*(?:each|per \w+|pro \w+|je)?)?"
    r"\s*(?=$|[\n,;.()]|\band\b|\bund\b|\bet\b|\by\b|\bfor the\b|\bplease\b|\bbitte\b)",
    re.IGNORECASE | re.MULTILINE,
)
_REFERENCE = re.compile(
    r"\b(?:PO|order|purchase order|reference|ref|bestellung|bestellnummer|auftrag|commande|pedido)\b\s*"
    r"(?:(?:no\.?|number|nr\.?|nummer|#|:|is)\s+|[#:]\s*)*(?P<reference>[A-Za-z0-9][A-Za-z0-9/_-]{1,30})",
    re.IGNORECASE,
)
_CUSTOMER = re.compile(
    r"^\s*(?:customer|kunde|client|cliente)\s*:\s*(?P<who>[^\n]{2,120})$", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True)
class Wanted:
    """One line as the mail has it. `price` is the sender's word, None when it has none."""

    quantity: Decimal
    unit: str
    what: str
    price: Money | None = None


@dataclass(frozen=True)
class Requested:
    """What was read; empty fields are what the mail does not say."""

    lines: tuple[Wanted, ...]
    reference: str = ""
    customer: str = ""
    """An address or a name after `customer:`, which only the owner's remark is read for."""


def asks_for_invoice(subject: str, text: str) -> bool:
    """Whether the sender wants an invoice from us: not when they bring one, or talk of one that is there."""
    words = f"{subject}\n{text}"[:READ]
    return _ASKS.search(words) is not None and _BRINGS.search(words) is None


def read(text: str, *, remark: str = "") -> Requested:
    """From the mail, and from the owner's remark, whose lines count instead of the mail's."""
    own = tuple(_lines(remark))
    lines = own or tuple(_lines(text[:READ]))
    reference = _REFERENCE.search(remark) or _REFERENCE.search(text[:READ])
    customer = _CUSTOMER.search(remark)
    return Requested(
        lines,
        reference["reference"] if reference and any(c.isdigit() for c in reference["reference"]) else "",
        customer["who"].strip() if customer else "",
    )


def _lines(text: str) -> Iterator[Wanted]:
    for found in _LINE.finditer(text):
        quantity = money.number(found["quantity"])
        if quantity is None or not quantity:
            continue
        price = money.read(found["price"]) if found["price"] else None
        what = " ".join((found["what"] or "").split()).strip(" .-")
        yield Wanted(quantity, found["unit"].lower(), what, price)
