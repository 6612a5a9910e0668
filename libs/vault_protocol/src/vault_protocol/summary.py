"""An action as a person reads it. In a note it stands beside the JSON, and the reader compares the two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from .action import (
    Action,
    ForwardMail,
    MailAction,
    PayTransfer,
    PostInvoice,
    PublishPost,
    RegisterPayment,
    SendMail,
    SendSealed,
    SendWhatsApp,
)
from .bank_account import spaced
from .books_action import InvoiceLine

Row = tuple[str, str]
"""What it is about, and what is said of it; both from the action alone."""

_POSTS = {
    "out_invoice": "post a customer invoice",
    "out_refund": "post a credit note for a customer",
    "in_invoice": "post a vendor bill",
    "in_refund": "post a vendor's credit note",
}
_PAYS = {"outbound": "register a payment that went out", "inbound": "register a payment that came in"}


def rows(action: Action) -> tuple[Row, ...]:
    """Everything an owner decides about, but for the prose."""
    return tuple((label, value) for label, value in _rows(action) if value)


def text(action: Action) -> str:
    """The summary section of a note; empty for a mail, a post or a message, which say it themselves."""
    if action.prose:
        return ""
    return "".join(f"{label:<14}{value}\n" for label, value in rows(action))


def _rows(action: Action) -> Iterator[Row]:
    """One case for each kind; the type checker misses the one that is not here."""
    match action:
        case SendMail():
            yield "It would", f"send a mail from the account {action.account}"
            yield from _mail(action)
        case ForwardMail():
            yield "It would", f"pass a mail on from the account {action.account}"
            yield from _mail(action)
            yield "Passes on", f"{action.original.message_id} (sha256 {action.original.sha256[:16]}…)"
        case PostInvoice():
            yield from _invoice(action)
        case RegisterPayment():
            yield from _payment(action)
        case PublishPost():
            yield from _post(action)
        case SendSealed():
            yield "It would", f"send a WhatsApp message from the account {action.account}"
            yield "Its words", f"are on your machine only: countersign show ({action.sha256[:16]}…)"
        case SendWhatsApp():
            yield "It would", f"send a WhatsApp message from the account {action.account}"
            yield "To", action.to
            yield "Chat", action.chat
            yield "Answers", action.answers
        case PayTransfer():
            yield from _transfer(action)
        case _:
            assert_never(action)


def _mail(action: MailAction) -> Iterator[Row]:
    yield "From", str(action.sender)
    for label, boxes in (("To", action.to), ("Cc", action.cc), ("Bcc", action.bcc)):
        for box in boxes:
            yield label, str(box)
    yield "Subject", action.subject
    yield "Answers", action.in_reply_to or ""
    for file in action.attachments:
        yield "Attached", f"{file.name} ({file.media_type}, {file.size} bytes, sha256 {file.sha256[:16]}…)"


def _invoice(action: PostInvoice) -> Iterator[Row]:
    yield "It would", f"{_POSTS[action.move_type]}, record {action.record} of {action.account}"
    yield "Partner", _party(action)
    yield "Reference", action.reference
    yield "Date", action.invoice_date
    yield "Due", action.due_date
    for number, line in enumerate(action.lines, 1):
        yield f"Line {number}", _line(line)
    yield "Untaxed", f"{action.untaxed} {action.currency}"
    yield "Tax", f"{action.tax} {action.currency}"
    yield "Total", f"{action.total} {action.currency}"
    yield "Bank account", action.bank_account
    yield "State", f"{action.state_sha256[:16]}…"


def _payment(action: RegisterPayment) -> Iterator[Row]:
    yield "It would", f"{_PAYS[action.direction]}, for record {action.record} of {action.account}"
    yield "Partner", _party(action)
    yield "Document", action.document
    yield "Reference", action.reference
    yield "Amount", f"{action.amount} {action.currency} of {action.residual} open"
    yield "Date", action.date
    yield "Journal", f"{action.journal.name}, number {action.journal.id}"
    yield "Bank account", action.bank_account
    yield "State", f"{action.state_sha256[:16]}…"


def _post(action: PublishPost) -> Iterator[Row]:
    what = "a post" if len(action.posts) == 1 else f"a thread of {len(action.posts)} posts"
    yield "It would", f"publish {what} on {action.network} as the account {action.account}"
    yield "Answers", action.reply_to or ""
    yield "Link", action.link or ""
    yield "Language", action.language or ""
    for file in action.media:
        where = "" if len(action.posts) == 1 else f"with post {file.post}, "
        yield "Shows", f"{where}{file.name} ({file.media_type}, {file.size} bytes, sha256 {file.sha256[:16]}…)"
        yield "Described", file.alt or "(no description for people who cannot see it)"


def _transfer(action: PayTransfer) -> Iterator[Row]:
    yield "It would", f"transfer {action.amount} {action.currency} from the account {action.account}"
    yield "To", action.creditor
    yield "IBAN", spaced(action.iban)
    yield "BIC", action.bic
    yield "Reference", action.reference
    yield "End to end", action.end_to_end
    yield "On", action.execution


def _party(action: PostInvoice | RegisterPayment) -> str:
    party = action.partner
    return f"{party.name}{f' ({party.vat})' if party.vat else ''}, number {party.id}"


def _line(line: InvoiceLine) -> str:
    less = "" if line.discount == "0.00" else f" less {line.discount} %"
    taxes = f", {line.taxes}" if line.taxes else ""
    return f"{line.description or '(no text)'}: {line.quantity} × {line.unit_price}{less} = {line.subtotal}{taxes}"
