"""Bills that say what they are: UBL, UN/CEFACT CII, and PDF with CII inside (Factur-X, ZUGFeRD)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from lxml import etree

from accounting import xml
from accounting.xml import BadXml, text

logging.getLogger("factur-x").setLevel(logging.ERROR)
logging.getLogger("pypdf").setLevel(logging.ERROR)

_UBL = {
    "i": "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2",
    "a": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "b": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
_CII = {
    "r": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "a": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "u": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
_INVOICES = ("380", "384", "389", "326", "")
"""Codes of documents that ask for money. A credit note is none."""


class NotABill(ValueError):
    """No e-invoice is in it, or one that cannot be taken as it is; the message says why."""


@dataclass(frozen=True)
class BillLine:
    """One line, without tax."""

    label: str
    quantity: Decimal
    unit_price: Decimal
    subtotal: Decimal


@dataclass(frozen=True)
class Bill:
    """What the bill itself says. Nothing here is true because it says so."""

    number: str
    seller: str
    seller_vat: str
    iban: str
    issued: date
    due: date | None
    currency: str
    lines: tuple[BillLine, ...]
    untaxed: Decimal
    tax: Decimal
    total: Decimal


def of_file(content: bytes) -> Bill:
    """From PDF or XML bytes. Raises NotABill."""
    if content.startswith(b"%PDF-"):
        return of_xml(_inside(content))
    return of_xml(content)


def of_xml(content: bytes) -> Bill:
    try:
        root = xml.parse(content)
    except BadXml as error:
        raise NotABill(str(error)) from None
    name = etree.QName(root)
    try:
        if (name.namespace, name.localname) == (_UBL["i"], "Invoice"):
            bill = _ubl(root)
        elif (name.namespace, name.localname) == (_CII["r"], "CrossIndustryInvoice"):
            bill = _cii(root)
        else:
            raise NotABill(f"a {name.localname} is no invoice this program reads")
    except (InvalidOperation, ValueError) as error:
        if isinstance(error, NotABill):
            raise
        raise NotABill(f"a value in it cannot be read ({type(error).__name__})") from None
    return _held(bill)


def _inside(pdf: bytes) -> bytes:
    from facturx import get_xml_from_pdf  # loads slowly, and only a PDF needs it

    try:
        _, content = get_xml_from_pdf(pdf, check_xsd=False)
    except Exception as error:  # noqa: BLE001 - a stranger's PDF breaks its reader in any way there is
        raise NotABill(f"no e-invoice can be read from this PDF ({type(error).__name__})") from None
    if not content:
        raise NotABill("this PDF has no e-invoice in it")
    return bytes(content)


def _ubl(root: etree._Element) -> Bill:
    _kind(text(root, "b:InvoiceTypeCode", _UBL))
    party = root.find("a:AccountingSupplierParty/a:Party", _UBL)
    total = root.find("a:LegalMonetaryTotal", _UBL)
    if party is None or total is None:
        raise NotABill("it names no supplier or no total")
    due = text(root, "b:DueDate", _UBL) or text(root, "a:PaymentMeans/b:PaymentDueDate", _UBL)
    untaxed = Decimal(text(total, "b:TaxExclusiveAmount", _UBL))
    gross = Decimal(text(total, "b:TaxInclusiveAmount", _UBL))
    return Bill(
        number=text(root, "b:ID", _UBL),
        seller=text(party, "a:PartyLegalEntity/b:RegistrationName", _UBL) or text(party, "a:PartyName/b:Name", _UBL),
        seller_vat=text(party, "a:PartyTaxScheme/b:CompanyID", _UBL),
        iban=text(root, "a:PaymentMeans/a:PayeeFinancialAccount/b:ID", _UBL),
        issued=date.fromisoformat(text(root, "b:IssueDate", _UBL)),
        due=date.fromisoformat(due) if due else None,
        currency=text(root, "b:DocumentCurrencyCode", _UBL),
        lines=tuple(_ubl_line(line) for line in root.findall("a:InvoiceLine", _UBL)),
        untaxed=untaxed, tax=gross - untaxed, total=gross,
    )  # fmt: skip


def _ubl_line(line: etree._Element) -> BillLine:
    quantity = Decimal(text(line, "b:InvoicedQuantity", _UBL) or "1")
    price = Decimal(text(line, "a:Price/b:PriceAmount", _UBL))
    base = Decimal(text(line, "a:Price/b:BaseQuantity", _UBL) or "1")
    label = text(line, "a:Item/b:Name", _UBL) or text(line, "a:Item/b:Description", _UBL)
    return BillLine(label, quantity, price / base, Decimal(text(line, "b:LineExtensionAmount", _UBL)))


def _cii(root: etree._Element) -> Bill:
    _kind(text(root, "r:ExchangedDocument/a:TypeCode", _CII))
    deal = root.find("r:SupplyChainTradeTransaction", _CII)
    agreed = deal.find("a:ApplicableHeaderTradeAgreement", _CII) if deal is not None else None
    settled = deal.find("a:ApplicableHeaderTradeSettlement", _CII) if deal is not None else None
    sums = settled.find("a:SpecifiedTradeSettlementHeaderMonetarySummation", _CII) if settled is not None else None
    if deal is None or agreed is None or settled is None or sums is None:
        raise NotABill("it names no supplier or no total")
    due = text(settled, "a:SpecifiedTradePaymentTerms/a:DueDateDateTime/u:DateTimeString", _CII)
    untaxed = Decimal(text(sums, "a:TaxBasisTotalAmount", _CII))
    gross = Decimal(text(sums, "a:GrandTotalAmount", _CII))
    account = "a:SpecifiedTradeSettlementPaymentMeans/a:PayeePartyCreditorFinancialAccount/a:IBANID"
    return Bill(
        number=text(root, "r:ExchangedDocument/a:ID", _CII),
        seller=text(agreed, "a:SellerTradeParty/a:Name", _CII),
        seller_vat=text(agreed, "a:SellerTradeParty/a:SpecifiedTaxRegistration/a:ID[@schemeID='VA']", _CII),
        iban=text(settled, account, _CII),
        issued=_compact(text(root, "r:ExchangedDocument/a:IssueDateTime/u:DateTimeString", _CII)),
        due=_compact(due) if due else None,
        currency=text(settled, "a:InvoiceCurrencyCode", _CII),
        lines=tuple(_cii_line(line) for line in deal.findall("a:IncludedSupplyChainTradeLineItem", _CII)),
        untaxed=untaxed, tax=gross - untaxed, total=gross,
    )  # fmt: skip


def _cii_line(line: etree._Element) -> BillLine:
    trade = "a:SpecifiedLineTradeAgreement/a:NetPriceProductTradePrice"
    base = Decimal(text(line, f"{trade}/a:BasisQuantity", _CII) or "1")
    total = "a:SpecifiedLineTradeSettlement/a:SpecifiedTradeSettlementLineMonetarySummation/a:LineTotalAmount"
    return BillLine(
        text(line, "a:SpecifiedTradeProduct/a:Name", _CII),
        Decimal(text(line, "a:SpecifiedLineTradeDelivery/a:BilledQuantity", _CII) or "1"),
        Decimal(text(line, f"{trade}/a:ChargeAmount", _CII)) / base,
        Decimal(text(line, total, _CII)),
    )


def _kind(code: str) -> None:
    if code not in _INVOICES:
        raise NotABill(f"it is a document of kind {code}, no invoice")


def _compact(digits: str) -> date:
    if len(digits) != 8:
        raise NotABill("a date in it is not spelled as in 20261123")
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def _held(bill: Bill) -> Bill:
    """Only a bill whose own numbers agree is taken."""
    missing = [name for name in ("number", "seller", "currency", "lines") if not getattr(bill, name)]
    if missing:
        raise NotABill(f"it does not say its {', '.join(missing)}")
    numbers = [
        bill.untaxed,
        bill.total,
        *(n for line in bill.lines for n in (line.quantity, line.unit_price, line.subtotal)),
    ]
    if any(not number.is_finite() or abs(number) > 10**12 for number in numbers) or bill.total < 0:
        raise NotABill("an amount in it is no amount")
    if sum((line.subtotal for line in bill.lines), Decimal(0)) != bill.untaxed:
        raise NotABill(
            "its lines do not add up to its untaxed amount (allowances on the whole are not taken by themselves)"
        )
    for line in bill.lines:
        if abs(line.quantity * line.unit_price - line.subtotal) > Decimal("0.01"):
            raise NotABill("a line is not its quantity times its price")
    return bill
