"""A bill that only a person was meant to read: taken when its text says everything once, and never guessed.

Total, currency, number and date stand beside their names, in English, German, French or Spanish. What is there twice
and differs, what does not add up, and what a stricter reader could doubt, is not taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TypeVar

from accounting import dates, iban, money
from accounting.einvoice import Bill, BillLine, NotABill
from accounting.money import Money

_IS_BILL = re.compile(r"\b(?:invoice|bill|rechnung|facture|factura)\b", re.IGNORECASE)
_IS_OTHER = re.compile(
    r"\b(?:credit note|gutschrift|avoir|nota de cr[eé]dito|pro[ -]?forma\w*|quotation|quote|angebot|devis|presupuesto"
    r"|order confirmation|auftragsbestätigung|reminder|mahnung|zahlungserinnerung|relance|recordatorio"
    r"|statement of account|kontoauszug|already paid|paid in full|has been paid|bereits (?:bezahlt|beglichen)"
    r"|dankend erhalten|acquittée?|déjà payée?|ya pagad[ao])\b",
    re.IGNORECASE,
)
_DUE = (
    r"total (?:amount )?(?:due|payable)|amount (?:due|payable)|balance due|grand total|invoice total"
    r"|total incl\w*\.?(?: \w+)?|total ttc"
    r"|gesamtbetrag|gesamtsumme|rechnungsbetrag|rechnungssumme|endbetrag|bruttobetrag|zahlbetrag"
    r"|zu zahlen(?:der betrag)?|net à payer|montant (?:total|ttc)|total a pagar|importe total|total factura"
)
_NET = (
    r"sub-?total|net (?:amount|total)|total (?:net|excl\w*)|nettobetrag|summe netto|zwischensumme|netto"
    r"|total ht|montant ht|sous-total|base imponible"
)
_TAX = r"vat|sales tax|tax|gst|mwst|ust|umsatzsteuer|mehrwertsteuer|tva|iva"
_NUMBER = re.compile(
    r"\b(?:invoice|bill|rechnungs?-?|facture|factura)[ \t]*"
    r"(?:number|no\.?|nr\.?|nummer|n[°º]|num(?:ber|éro|ero)?|número|#)"
    r"[ \t]*[:.#]?[ \t]*(?P<number>[A-Za-z0-9][A-Za-z0-9/_.-]{1,30})",
    re.IGNORECASE,
)
_ISSUED = re.compile(
    r"(?:\b(?:invoice date|bill date|date of issue|issue date|issued(?: on)?|rechnungsdatum|date de (?:la )?facture"
    r"|date d['’]émission|fecha de (?:la )?(?:factura|emisión))|^[ \t]*(?:date|datum|fecha))"
    rf"[ \t]*:?[ \t]*(?P<day>{dates.DAY})",
    re.IGNORECASE | re.MULTILINE,
)
_PAID_BY = re.compile(
    r"\b(?:due (?:date|on|by)?|payment due|payable by|zahlbar bis(?: zum)?|fällig (?:am|bis)|fälligkeitsdatum"
    rf"|(?:date d['’])?échéance|(?:fecha de )?vencimiento)[ \t]*:?[ \t]*(?P<day>{dates.DAY})",
    re.IGNORECASE,
)
LONGEST_LINE = 500

T = TypeVar("T")


def read(text: str) -> Bill:
    """The bill in this text. `seller` is empty: a letterhead has no name for it. Raises NotABill."""
    text = "\n".join(text.splitlines())
    if any(len(line) > LONGEST_LINE for line in text.splitlines()):
        raise NotABill(f"a line in it has more than {LONGEST_LINE} characters, which no bill has")
    if not _IS_BILL.search(text):
        raise NotABill("nothing in it says that it is a bill")
    if other := _IS_OTHER.search(text):
        raise NotABill(f"it may be something else than an open bill: it says “{other[0]}”")
    currency = _currency(text)
    total = _total(text, currency)
    untaxed, tax = _taxes(text, currency, total)
    number = _one("number", {str(found["number"]).rstrip(".-/_") for found in _NUMBER.finditer(text)})
    if not any(c.isdigit() for c in number) or dates.read(number):
        raise NotABill(f"its number cannot be told: “{number}”")
    issued = _one("date", set(_days(_ISSUED, text)))
    due = set(_days(_PAID_BY, text))
    if len(due) > 1 or any(day < issued for day in due):
        raise NotABill("the day it is due cannot be told")
    line = BillLine(f"Bill {number}, read from a PDF", Decimal(1), untaxed, untaxed)
    return Bill(
        number=number, seller="", seller_vat="", iban=_account(text), issued=issued, due=next(iter(due), None),
        currency=currency, lines=(line,), untaxed=untaxed, tax=tax, total=total,
    )  # fmt: skip


def names(text: str, name: str) -> bool:
    """Whether the text holds this name, word by word."""
    wanted, words = re.findall(r"\w+", name.casefold()), re.findall(r"\w+", text.casefold())
    return bool(wanted) and any(words[at : at + len(wanted)] == wanted for at in range(len(words)))


def _currency(text: str) -> str:
    codes: set[str] = set(re.findall(r"\b(?:USD|EUR|GBP|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|JPY)\b", text))
    codes |= {code for sign, code in money.SIGNS.items() if sign in text}
    return _one("currency", codes)


def _total(text: str, currency: str) -> Decimal:
    """Beside a name that only what is to be paid has; else beside the word alone. No amount in it is larger."""
    found = set(_named(_DUE, text, currency)) or set(_named(r"total|summe|betrag", text, currency))
    total = _one("total", found)
    if total <= 0:
        raise NotABill("its total is not above zero")
    if any(other > Money(total, currency) for other in money.find(text)):
        raise NotABill(f"an amount in it is larger than its total of {total}")
    return total


def _taxes(text: str, currency: str, total: Decimal) -> tuple[Decimal, Decimal]:
    """What adds up to the total; without a word of tax all of it is untaxed."""
    taxes = set(_named(_TAX, text, currency))
    if not taxes and not re.search(rf"\b(?:{_TAX})\b[^\n]*\d[\d.,]*\s*(?:%|[€$£]|[A-Z]{{3}})", text, re.IGNORECASE):
        if re.search(r"\d \d{3}[.,]\d{2}(?!\d)", text):
            raise NotABill("an amount in it could be two numbers, and no sum shows which")
        return total, Decimal(0)
    fitting = {(net, tax) for net in _named(_NET, text, currency) for tax in taxes if net + tax == total}
    if len(fitting) != 1:
        raise NotABill("its untaxed amount and its tax do not add up to its total in one way")
    return fitting.pop()


def _named(name: str, text: str, currency: str) -> Iterator[Decimal]:
    """The amounts after this name on its line, or alone on the next one."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        found = re.search(rf"^\W*(?:{name})\b(?P<rest>[^\n]*)$", line, re.IGNORECASE)
        if not found:
            continue
        following = lines[number + 1] if number + 1 < len(lines) else ""
        amounts = list(_amounts(found["rest"], currency))
        yield from amounts or _amounts(following if re.fullmatch(r"[\s\d.,'€$£A-Z]+", following) else "", currency)


def _amounts(text: str, currency: str) -> Iterator[Decimal]:
    marked = money.find(text)
    if marked:
        yield from (amount.value for amount in marked if amount.currency == currency)
        return
    for digits in re.findall(r"(?<![\w.,])(?:\d{1,3}(?:[.,']\d{3})+|\d+)[.,]\d{2}(?![\w.,]|\s*%)", text):
        value = money.number(digits)
        if value is not None:
            yield value


def _days(pattern: re.Pattern[str], text: str) -> Iterator[date]:
    for found in pattern.finditer(text):
        day = dates.read(found["day"])
        if day is None:
            raise NotABill(f"the day “{found['day']}” could be another")
        yield day


def _account(text: str) -> str:
    """The one bank account in it; empty when it names none. Several are nothing to choose from."""
    found = iban.find(text)
    if len(found) > 1:
        raise NotABill(f"it names {len(found)} bank accounts")
    if not found and re.search(r"\bIBAN\b", text, re.IGNORECASE):
        raise NotABill("the bank account in it cannot be read")
    return next(iter(found), "")


def _one(what: str, found: set[T]) -> T:
    if len(found) != 1:
        said = f"it says {len(found)} of them" if found else "it says none beside its name"
        raise NotABill(f"its {what} cannot be told: {said}")
    return next(iter(found))
