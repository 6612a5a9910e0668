"""A vendor's bill arrives: what the e-invoice says is drafted once, its file attached, and held against the books."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from accounting import einvoice, pdf_text, printed_bill
from accounting.einvoice import Bill, NotABill
from accounting.pdf_text import NoText
from accounting.warnings import same_account
from books.drafts import Key, NewLine, NewMove
from books.values import Kind, Partner
from cloud_agent.bookkeeping.ledger_desk import LedgerDesk, Unclear
from correspondence import Attachment
from drafting import Letter
from vault_protocol.action import PostInvoice
from vault_protocol.task import TaskId

_READ = ("application/pdf", "application/xml", "text/xml")


@dataclass(frozen=True)
class Found:
    """A bill and the file it came in."""

    bill: Bill
    file: Attachment
    content: bytes
    text: str = ""
    """Of a PDF that was read like a person reads it; empty when the file itself says what it is."""


def find(attachments: Sequence[Attachment], contents: Mapping[str, bytes]) -> tuple[tuple[Found, ...], tuple[str, ...]]:
    """The bills among the files of a mail, and why the other files that could be one are none."""
    found, reasons = [], []
    for file in attachments:
        content = contents.get(file.sha256)
        if content is None or not (file.media_type in _READ or file.name.lower().endswith((".pdf", ".xml"))):
            continue
        try:
            found.append(Found(einvoice.of_file(content), file, content))
        except NotABill as error:
            reasons.append(f"{file.name}: {error}")
    return tuple(found), tuple(reasons)


def read_like_a_person(
    attachments: Sequence[Attachment], contents: Mapping[str, bytes]
) -> tuple[tuple[Found, ...], tuple[str, ...]]:
    """The plain PDFs among the files that say all of a bill in one way, and why the others do not."""
    found, reasons = [], []
    for file in attachments:
        content = contents.get(file.sha256)
        if content is None or not content.startswith(b"%PDF-"):
            continue
        try:
            text = pdf_text.of_pdf(content)
            found.append(Found(printed_bill.read(text), file, content, text))
        except (NoText, NotABill) as error:
            reasons.append(f"{file.name}: {error}")
    return tuple(found), tuple(reasons)


def draft(desk: LedgerDesk, task: TaskId, letter: Letter, found: Found) -> int:
    """The record of the draft bill. Raises Unclear."""
    bill, vendor = found.bill, _vendor(desk, letter, found.bill)
    if found.text and not printed_bill.names(found.text, vendor.name):
        raise Unclear(f"{found.file.name} does not name {vendor.name}, whose address sent it: whose bill is it?")
    key = Key(f"task-{task}")
    if desk.books.find(key) is None:
        known = [
            move for move in desk.books.invoices(partner=vendor.id, kinds=[Kind.BILL], search=bill.number)
            if move.reference == bill.number
        ]  # fmt: skip
        if known:
            at = known[0].number or f"record {known[0].id}"
            raise Unclear(f"the books have bill {bill.number} of {vendor.name} already: {at}, {known[0].state.value}")
    lines = tuple(NewLine(line.label or "(no text)", line.unit_price, line.quantity) for line in bill.lines)
    new = NewMove(
        Kind.BILL, vendor.id, lines, issued=bill.issued, due=bill.due, reference=bill.number, currency=bill.currency,
        origin=f"countersign {task}", bank=_bank(desk, vendor, bill),
    )  # fmt: skip
    drafted = desk.books.draft(key, new)
    file = Key(f"file-{task}-{found.file.sha256[:16]}")
    desk.books.attach(file, drafted.id, found.file.name, found.content, media_type=found.file.media_type)
    return drafted.id


def differences(found: Found, action: PostInvoice, known: Sequence[str]) -> tuple[str, ...]:
    """What the bill says otherwise than the draft made of it; `known` are the vendor's accounts in the books."""
    bill = found.bill
    read = f"Read from a PDF: compare number, date, {bill.total} {bill.currency} and the vendor with {found.file.name}."
    return (*((read,) if found.text else ()), *_differences(bill, action, known))


def _differences(bill: Bill, action: PostInvoice, known: Sequence[str]) -> Iterator[str]:
    for what, theirs, ours in (("untaxed amount", bill.untaxed, action.untaxed), ("total", bill.total, action.total)):
        if theirs != Decimal(ours):
            said = f"The bill says a {what} of {theirs} {bill.currency}"
            yield f"{said}, the draft {ours} {action.currency}: check the taxes."
    accounts = [account for account in (action.bank_account, *known) if account]
    if bill.iban and not accounts:
        yield f"The bill wants its money at {bill.iban}; the books have no account of this vendor."
    elif bill.iban and not any(same_account(bill.iban, account) for account in accounts):
        yield (
            f"Changed bank account: the bill says {bill.iban}, the books {', '.join(dict.fromkeys(accounts))}. "
            "Call them on a number you know."
        )


def _bank(desk: LedgerDesk, vendor: Partner, bill: Bill) -> int | None:
    """The account that the bill names, when the books have it of this vendor: never one that only the bill knows."""
    known = desk.books.bank_accounts(vendor.id) if bill.iban else ()
    return next((account.id for account in known if same_account(account.number, bill.iban)), None)


def _vendor(desk: LedgerDesk, letter: Letter, bill: Bill) -> Partner:
    """By tax number, else by the whole address of who wrote."""
    by_vat = (
        [p for p in desk.books.partners(bill.seller_vat) if same_account(p.vat, bill.seller_vat)]
        if bill.seller_vat
        else []
    )
    found = by_vat or list(desk.books.partners(email=letter.sender_address) if letter.sender_address else ())
    if len(found) != 1:
        how = f"tax number {bill.seller_vat}" if bill.seller_vat else f"address {letter.sender_address}"
        raise Unclear(
            f"for bill {bill.number} over {bill.total} {bill.currency} the vendor is missing: "
            f"the books know {len(found) or 'nobody'} with {how}{f' ({bill.seller})' if bill.seller else ''}"
        )
    return found[0]
