"""Bills and statements as they come: the same bill in UBL, in CII and in a PDF, the same movements in four formats."""

from __future__ import annotations

import io
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
