"""One credit transfer as a file for the bank: pain.001.001.09. The same bytes for the same transfer, always.

Source: ISO 20022, CustomerCreditTransferInitiationV09, and the EPC's customer-to-bank guidelines for SEPA.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from vault_protocol.action import PayTransfer
from vault_protocol.canonical import utc

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"


@dataclass(frozen=True)
class Debtor:
    """The owner's account that pays."""

    name: str
    iban: str
    bic: str = ""


def document(action: PayTransfer, debtor: Debtor, *, message_id: str, at: datetime) -> bytes:
    """`message_id`, up to 35 characters, is what a bank knows a file by that it was given before."""
    root = etree.Element("Document", nsmap={None: NAMESPACE})
    whole = _under(root, "CstmrCdtTrfInitn")
    head = _under(whole, "GrpHdr")
    _text(head, "MsgId", message_id)
    _text(head, "CreDtTm", utc(at))
    _text(head, "NbOfTxs", "1")
    _text(head, "CtrlSum", action.amount)
    _text(_under(head, "InitgPty"), "Nm", debtor.name)
    batch = _under(whole, "PmtInf")
    _text(batch, "PmtInfId", message_id)
    _text(batch, "PmtMtd", "TRF")
    _text(batch, "NbOfTxs", "1")
    _text(batch, "CtrlSum", action.amount)
    if action.currency == "EUR":
        _text(_under(_under(batch, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    _text(_under(batch, "ReqdExctnDt"), "Dt", action.execution)
    _text(_under(batch, "Dbtr"), "Nm", debtor.name)
    _account(batch, "DbtrAcct", debtor.iban)
    _agent(batch, "DbtrAgt", debtor.bic)
    if action.currency == "EUR":
        _text(batch, "ChrgBr", "SLEV")
    one = _under(batch, "CdtTrfTxInf")
    _text(_under(one, "PmtId"), "EndToEndId", action.end_to_end)
    amount = etree.SubElement(_under(one, "Amt"), "InstdAmt", Ccy=action.currency)
    amount.text = action.amount
    if action.bic:
        _agent(one, "CdtrAgt", action.bic)
    _text(_under(one, "Cdtr"), "Nm", action.creditor)
    _account(one, "CdtrAcct", action.iban)
    if action.reference:
        _text(_under(one, "RmtInf"), "Ustrd", action.reference)
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return made


def _under(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, name)


def _text(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text


def _account(parent: etree._Element, name: str, iban: str) -> None:
    _text(_under(_under(parent, name), "Id"), "IBAN", iban)


def _agent(parent: etree._Element, name: str, bic: str) -> None:
    """The bank by its code, or the word for none where one has to be named."""
    institution = _under(_under(parent, name), "FinInstnId")
    if bic:
        _text(institution, "BICFI", bic)
    else:
        _text(_under(institution, "Othr"), "Id", "NOTPROVIDED")
