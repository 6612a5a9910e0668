"""Bills and statements as they come: the same bill in UBL, in CII and in a PDF, the same movements in four formats."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
IBAN = "DE02120300000000202051"


def ubl(
    total: str = "119.00", line: str = "100.00", iban: str = IBAN, number: str = "R-2026-17", kind: str = "380"
) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:cac="{CAC}" xmlns:cbc="{CBC}">
<cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-11-20</cbc:IssueDate><cbc:DueDate>2026-12-20</cbc:DueDate>
<cbc:InvoiceTypeCode>{kind}</cbc:InvoiceTypeCode><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
<cac:AccountingSupplierParty><cac:Party><cac:PartyName><cbc:Name>Paper Mill</cbc:Name></cac:PartyName>
<cac:PartyTaxScheme><cbc:CompanyID>DE2</cbc:CompanyID></cac:PartyTaxScheme></cac:Party></cac:AccountingSupplierParty>
<cac:PaymentMeans><cac:PayeeFinancialAccount><cbc:ID>{iban}</cbc:ID></cac:PayeeFinancialAccount></cac:PaymentMeans>
<cac:LegalMonetaryTotal><cbc:TaxExclusiveAmount currencyID="EUR">100.00</cbc:TaxExclusiveAmount>
<cbc:TaxInclusiveAmount currencyID="EUR">{total}</cbc:TaxInclusiveAmount></cac:LegalMonetaryTotal>
<cac:InvoiceLine><cbc:InvoicedQuantity>4</cbc:InvoicedQuantity>
<cbc:LineExtensionAmount currencyID="EUR">{line}</cbc:LineExtensionAmount><cac:Item><cbc:Name>Paper, A4</cbc:Name>
</cac:Item>
<cac:Price><cbc:PriceAmount currencyID="EUR">25.00</cbc:PriceAmount></cac:Price></cac:InvoiceLine></Invoice>""".encode()


def cii() -> bytes:
    base = "urn:un:unece:uncefact:data:standard"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<r:CrossIndustryInvoice xmlns:r="{base}:CrossIndustryInvoice:100" xmlns:u="{base}:UnqualifiedDataType:100"
 xmlns:a="{base}:ReusableAggregateBusinessInformationEntity:100">
<r:ExchangedDocumentContext><a:GuidelineSpecifiedDocumentContextParameter><a:ID>urn:cen.eu:en16931:2017</a:ID>
</a:GuidelineSpecifiedDocumentContextParameter></r:ExchangedDocumentContext>
<r:ExchangedDocument><a:ID>R-2026-17</a:ID><a:TypeCode>380</a:TypeCode><a:IssueDateTime>
<u:DateTimeString format="102">20261120</u:DateTimeString></a:IssueDateTime></r:ExchangedDocument>
<r:SupplyChainTradeTransaction><a:IncludedSupplyChainTradeLineItem><a:SpecifiedTradeProduct><a:Name>Paper, A4</a:Name>
</a:SpecifiedTradeProduct><a:SpecifiedLineTradeAgreement><a:NetPriceProductTradePrice>
<a:ChargeAmount>25.00</a:ChargeAmount></a:NetPriceProductTradePrice></a:SpecifiedLineTradeAgreement><a:SpecifiedLineTradeDelivery>
<a:BilledQuantity unitCode="H87">4</a:BilledQuantity></a:SpecifiedLineTradeDelivery><a:SpecifiedLineTradeSettlement>
<a:SpecifiedTradeSettlementLineMonetarySummation><a:LineTotalAmount>100.00</a:LineTotalAmount>
</a:SpecifiedTradeSettlementLineMonetarySummation></a:SpecifiedLineTradeSettlement></a:IncludedSupplyChainTradeLineItem>
<a:ApplicableHeaderTradeAgreement><a:SellerTradeParty><a:Name>Paper Mill</a:Name><a:SpecifiedTaxRegistration>
<a:ID schemeID="VA">DE2</a:ID></a:SpecifiedTaxRegistration></a:SellerTradeParty>
<a:BuyerTradeParty><a:Name>Countersign Test Ltd</a:Name></a:BuyerTradeParty></a:ApplicableHeaderTradeAgreement>
<a:ApplicableHeaderTradeDelivery/><a:ApplicableHeaderTradeSettlement><a:InvoiceCurrencyCode>EUR</a:InvoiceCurrencyCode>
<a:SpecifiedTradeSettlementPaymentMeans><a:PayeePartyCreditorFinancialAccount><a:IBANID>{IBAN}</a:IBANID>
</a:PayeePartyCreditorFinancialAccount></a:SpecifiedTradeSettlementPaymentMeans><a:SpecifiedTradePaymentTerms>
<a:DueDateDateTime><u:DateTimeString format="102">20261220</u:DateTimeString></a:DueDateDateTime>
</a:SpecifiedTradePaymentTerms>
<a:SpecifiedTradeSettlementHeaderMonetarySummation><a:TaxBasisTotalAmount>100.00</a:TaxBasisTotalAmount>
<a:GrandTotalAmount>119.00</a:GrandTotalAmount></a:SpecifiedTradeSettlementHeaderMonetarySummation>
</a:ApplicableHeaderTradeSettlement></r:SupplyChainTradeTransaction></r:CrossIndustryInvoice>""".encode()


def factur_x() -> bytes:
    """A PDF with the CII inside, made by the library that others make them with."""
    from facturx import generate_from_binary
    from pypdf import PdfWriter

    page = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.write(page)
    made: Any = generate_from_binary(page.getvalue(), cii(), check_xsd=False, flavor="factur-x", level="en16931")
    return bytes(made)


PRINTED = (
    "Paper Mill", "1 Mill Lane, Testville", "", "INVOICE", "Invoice number: R-2026-17",
    "Invoice date: 20 November 2026", "Due date: 2026-12-20", "4 x Paper, A4   25.00   100.00 EUR",
    "Net amount   100.00 EUR", "VAT 19 %   19.00 EUR", "Total due   119.00 EUR",
    "IBAN DE02 1203 0000 0000 2020 51 BIC BYLADEM1",
)  # fmt: skip


def printed(lines: Sequence[str] = PRINTED) -> bytes:
    """A PDF of one page with these lines and nothing that a program was meant to read."""
    shown = b" T* ".join(b"(" + _escaped(line) + b") Tj" for line in lines)
    stream = b"BT /F1 11 Tf 14 TL 50 780 Td " + shown + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]  # fmt: skip
    made, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size 7 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(made)
    return made + b"xref\n0 7\n0000000000 65535 f \n" + table + end


def _escaped(line: str) -> bytes:
    text = line.encode("cp1252")
    return text.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


MOVEMENTS = [
    ("2026-11-20", Decimal("276.00"), "INV/2026/11/0001 thank you", "Ada Lovelace Ltd"),
    ("2026-11-21", Decimal("-119.00"), "R-2026-17", "Paper Mill"),
]


def camt() -> bytes:
    entries = "".join(
        f'<Ntry><Amt Ccy="EUR">{abs(amount)}</Amt><CdtDbtInd>{"CRDT" if amount > 0 else "DBIT"}</CdtDbtInd>'
        "<Sts>BOOK</Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><NtryDtls><TxDtls><RltdPties>"
        f"<{'Dbtr' if amount > 0 else 'Cdtr'}><Nm>{party}</Nm></{'Dbtr' if amount > 0 else 'Cdtr'}></RltdPties>"
        f"<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for day, amount, text, party in MOVEMENTS
    )
    return (
        '<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><GrpHdr>'
        f"<MsgId>1</MsgId></GrpHdr><Stmt><Id>1</Id><Acct><Id><IBAN>{IBAN}</IBAN></Id></Acct>{entries}</Stmt>"
        "</BkToCstmrStmt></Document>"
    ).encode()


def mt940() -> bytes:
    entries = "".join(
        f":61:{day[2:].replace('-', '')}{day[5:].replace('-', '')}{'C' if amount > 0 else 'D'}"
        f"{str(abs(amount)).replace('.', ',')}NTRFNONREF\r\n:86:166?00TRANSFER?20{text}?32{party}\r\n"
        for day, amount, text, party in MOVEMENTS
    )
    return (
        f":20:START\r\n:25:12030000/0000202051\r\n:28C:1/1\r\n:60F:C261119EUR1000,00\r\n{entries}:62F:C261121EUR1157,00\r\n-\r\n"
    ).encode()


def ofx() -> bytes:
    entries = "".join(
        f"<STMTTRN><TRNTYPE>{'CREDIT' if amount > 0 else 'DEBIT'}<DTPOSTED>{day.replace('-', '')}120000"
        f"<TRNAMT>{amount}<FITID>{number}<NAME>{party}<MEMO>{text}</STMTTRN>"
        for number, (day, amount, text, party) in enumerate(MOVEMENTS)
    )
    return (
        "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nSECURITY:NONE\r\nENCODING:USASCII\r\nCHARSET:1252\r\n"
        "COMPRESSION:NONE\r\nOLDFILEUID:NONE\r\nNEWFILEUID:NONE\r\n\r\n<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0"
        "<SEVERITY>INFO</STATUS><DTSERVER>20261121120000<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1><BANKMSGSRSV1><STMTTRNRS>"
        "<TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>2"
        f"<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><DTSTART>20261101<DTEND>20261130{entries}</BANKTRANLIST>"
        "<LEDGERBAL><BALAMT>1157.00<DTASOF>20261121120000</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    ).encode()


def csv() -> bytes:
    rows = "".join(
        f"{d[8:]}.{d[5:7]}.{d[:4]};{party};{text};{str(a).replace('.', ',')};EUR\n" for d, a, text, party in MOVEMENTS
    )
    return ("Buchungstag;Name;Verwendungszweck;Betrag;Währung\n" + rows).encode()
