"""Bank statements: CAMT.053 by pycamt, MT940 by mt-940, OFX by ofxtools, CSV by its headings. Nothing is guessed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from accounting import money, xml

MOST = 20_000


class NotAStatement(ValueError):
    """It is no bank statement this program reads; the message says why."""


@dataclass(frozen=True)
class Entry:
    """One movement of the account. What came in is positive."""

    booked: date
    amount: Decimal
    currency: str
    text: str
    """What the other side wrote, and the references of the bank, on one line."""
    party: str = ""
    account: str = ""


def of_file(name: str, content: bytes) -> tuple[Entry, ...]:
    """By what the bytes are, not by the name. Raises NotAStatement."""
    head = content[:4000].lstrip(b"\xef\xbb\xbf \r\n\t")
    if b"<Document" in head or b"camt.05" in head:
        return _read("CAMT", _camt, content)
    if head.startswith((b":20:", b"{1:")) or b"\n:61:" in content[:20000]:
        return _read("MT940", _mt940, content)
    if head.startswith(b"OFXHEADER") or b"<OFX>" in head:
        return _read("OFX", _ofx, content)
    if name.lower().endswith((".csv", ".txt")):
        return _read("CSV", _csv, content)
    raise NotAStatement("it is no CAMT.053, MT940, OFX or CSV")


def _read(kind: str, reader: Callable[[bytes], Iterator[Entry]], content: bytes) -> tuple[Entry, ...]:
    try:
        entries = tuple(entry for entry, _ in zip(reader(content), range(MOST + 1), strict=False))
    except NotAStatement:
        raise
    except Exception as error:  # noqa: BLE001 - a broken file breaks its reader in any way there is
        raise NotAStatement(f"this {kind} file cannot be read ({type(error).__name__})") from None
    if not entries:
        raise NotAStatement(f"this {kind} file holds no movement")
    if len(entries) > MOST:
        raise NotAStatement(f"this {kind} file holds more than {MOST} movements; split it")
    return entries


def _camt(content: bytes) -> Iterator[Entry]:
    from pycamt.parser import Camt053Parser

    xml.parse(content)  # refuses what asks for more than to be read

    class Parser(Camt053Parser):  # type: ignore[misc] # it has no types
        """A detail without an amount of its own has that of its entry, and only when it is alone."""

        def _extract_transaction_details(self, tx_detail: Any) -> dict[str, Any]:
            return {key: value for key, value in super()._extract_transaction_details(tx_detail).items() if value}

        def _extract_transaction(self, entry: Any, statement: Any) -> list[dict[str, Any]]:
            whole = self._extract_common_entry_data(entry, statement)
            parts = super()._extract_transaction(entry, statement)
            sum_of_parts = sum(Decimal(str(part["Amount"])) for part in parts)
            return parts if len(parts) == 1 or sum_of_parts == Decimal(str(whole["Amount"])) else [whole]

    for row in Parser(content).get_transactions():
        incoming = (row["CreditDebitIndicator"] == "CRDT") is not (str(row.get("ReversalIndicator")).lower() == "true")
        side = "Debtor" if incoming else "Creditor"
        words = [row.get(key) for key in ("RemittanceInformationFull", "EndToEndId", "AdditionalEntryInformation")]
        yield Entry(
            booked=date.fromisoformat(str(row["BookingDate"])[:10]),
            amount=Decimal(str(row["Amount"])) * (1 if incoming else -1),
            currency=str(row["Currency"]), text=_line(*words),
            party=_line(row.get(f"{side}Name")), account=_line(row.get(f"{side}IBAN")),
        )  # fmt: skip


def _mt940(content: bytes) -> Iterator[Entry]:
    import mt940

    for row in mt940.parse(content.decode("utf-8", "replace")):
        found = row.data
        yield Entry(
            booked=date.fromisoformat(str(found.get("entry_date") or found["date"])[:10]),
            amount=found["amount"].amount, currency=str(found["amount"].currency),
            text=_line(found.get("purpose"), found.get("transaction_details"), found.get("end_to_end_reference"),
                       found.get("customer_reference")),
            party=_line(found.get("applicant_name")), account=_line(found.get("applicant_iban")),
        )  # fmt: skip


def _ofx(content: bytes) -> Iterator[Entry]:
    from ofxtools.Parser import OFXTree

    tree = OFXTree()
    tree.parse(io.BytesIO(content))
    for statement in tree.convert().statements:
        for row in statement.transactions:
            yield Entry(
                booked=row.dtposted.date(), amount=Decimal(row.trnamt), currency=str(statement.curdef),
                text=_line(row.memo, row.fitid), party=_line(row.name),
            )  # fmt: skip


_HEADINGS: Mapping[str, tuple[str, ...]] = {
    "booked": ("date", "booking date", "buchungstag", "buchungsdatum", "datum", "fecha", "date de comptabilisation"),
    "amount": ("amount", "betrag", "montant", "importe"),
    "currency": ("currency", "währung", "waehrung", "devise", "divisa"),
    "text": ("description", "reference", "details", "memo", "verwendungszweck", "libellé", "concepto", "purpose"),
    "party": ("name", "payee", "counterparty", "beguenstigter/zahlungspflichtiger", "auftraggeber/empfänger"),
    "account": ("iban", "account", "kontonummer/iban", "counterparty iban"),
}


def _csv(content: bytes) -> Iterator[Entry]:
    shown = content.decode("utf-8-sig", "strict")
    delimiter = ";" if shown.partition("\n")[0].count(";") > shown.partition("\n")[0].count(",") else ","
    reader = csv.reader(io.StringIO(shown), delimiter=delimiter)
    heads = [head.strip().casefold() for head in next(reader, [])]
    columns = {field: heads.index(name) for field, names in _HEADINGS.items() for name in names if name in heads}
    for needed in ("booked", "amount", "currency"):
        if needed not in columns:
            raise NotAStatement(f"this CSV has no column for {needed}; one of: {', '.join(_HEADINGS[needed])}")
    for number, row in enumerate(reader, 2):
        if not any(cell.strip() for cell in row):
            continue
        cells = {field: row[at].strip() if at < len(row) else "" for field, at in columns.items()}
        yield Entry(
            booked=_day(cells["booked"], number), amount=_number(cells["amount"], number),
            currency=cells["currency"].upper(), text=_line(cells.get("text")), party=_line(cells.get("party")),
            account=_line(cells.get("account")),
        )  # fmt: skip


def _day(text: str, number: int) -> date:
    found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text)
    try:
        return date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(text)
    except ValueError:
        raise NotAStatement(f"line {number}: the date {text!r} could be read in two ways; write 2026-11-23") from None


def _number(text: str, number: int) -> Decimal:
    value = money.number(text.lstrip("+-").strip())
    if value is None:
        raise NotAStatement(f"line {number}: {text!r} is no amount")
    return -value if text.startswith("-") else value


def _line(*words: object) -> str:
    return " ".join(" ".join(str(word).split()) for word in words if word)[:500]
