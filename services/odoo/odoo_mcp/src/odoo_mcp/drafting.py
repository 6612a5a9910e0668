"""The tools that draft. Each takes a key: the same key never makes a second record."""

from __future__ import annotations

import base64
import binascii
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field

from books.books import Drafting
from books.drafts import Drafted, Key, NewLine, NewMove, NewPartner, NewQuotation
from books.values import Kind, Move
from odoo_mcp.told import telling

Record = Annotated[int, Field(ge=1)]
DraftKey = Annotated[
    str, Field(description="Made from the task's id: repeat a call whose answer was lost with the same")
]
Currency = Annotated[str, Field(pattern="^([A-Z]{3})?$")]


class Line(BaseModel):
    """One line to be. `taxes` left out leaves the choice to Odoo; an empty list means none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = ""
    unit_price: Decimal
    quantity: Decimal = Decimal(1)
    product: Record | None = None
    account: Record | None = None
    taxes: list[Record] | None = None


def add_drafting(app: MCPServer, books: Drafting) -> None:
    """Draft and change drafts; nothing is posted, paid or sent."""

    def drafts(title: str) -> ToolAnnotations:
        return ToolAnnotations(title=title, destructive_hint=False, idempotent_hint=True, open_world_hint=False)

    @app.tool(annotations=drafts("Draft an invoice, a bill or a credit note"))
    def draft_invoice(
        key: DraftKey,
        kind: Literal["out_invoice", "out_refund", "in_invoice", "in_refund"],
        partner: Record,
        lines: list[Line],
        issued: date | None = None,
        due: date | None = None,
        reference: str = "",
        narration: str = "",
        currency: Currency = "",
    ) -> Drafted:
        """Make a draft. The owner posts it, after an approval of exactly what it says."""
        with telling():
            new = _move(kind, partner, lines, issued, due, reference, narration, currency)
            return books.draft(Key(key), new)

    @app.tool(annotations=ToolAnnotations(title="Change a draft", destructive_hint=True, idempotent_hint=True))
    def change_draft(
        invoice: Record,
        kind: Literal["out_invoice", "out_refund", "in_invoice", "in_refund"],
        partner: Record,
        lines: list[Line],
        issued: date | None = None,
        due: date | None = None,
        reference: str = "",
        narration: str = "",
        currency: Currency = "",
    ) -> Move:
        """Replace what a draft of this user says. An approval of what it said before no longer fits."""
        with telling():
            new = _move(kind, partner, lines, issued, due, reference, narration, currency)
            return books.change(invoice, new)

    @app.tool(annotations=drafts("Enter a partner"))
    def enter_partner(
        key: DraftKey,
        name: str,
        email: str = "",
        vat: str = "",
        street: str = "",
        zip_code: str = "",
        city: str = "",
        country: Annotated[str, Field(pattern="^([A-Za-z]{2})?$")] = "",
        company: bool = True,
    ) -> Drafted:
        """Enter somebody new, with an address and nothing else. Partners that are there already are not changed."""
        with telling():
            new = NewPartner(name, email, vat, street, zip_code, city, country, company)
            return books.enter_partner(Key(key), new)

    @app.tool(annotations=drafts("Draft a quotation"))
    def draft_quotation(
        key: DraftKey, partner: Record, lines: list[Line], valid_until: date | None = None, reference: str = ""
    ) -> Drafted:
        """Make a quotation of products; only when Odoo has the module for it. It is not sent."""
        with telling():
            new = NewQuotation(partner, tuple(_line(line) for line in lines), valid_until, reference)
            return books.quote(Key(key), new)

    @app.tool(annotations=drafts("Attach a document"))
    def attach_document(key: DraftKey, invoice: Record, name: str, content_base64: str, media_type: str) -> Drafted:
        """Keep a file with a draft of this user."""
        try:
            content = base64.b64decode(content_base64, validate=True)
        except (ValueError, binascii.Error):
            raise ToolError("content_base64 is not base64") from None
        with telling():
            return books.attach(Key(key), invoice, name, content, media_type=media_type)

    @app.tool(annotations=drafts("Leave an internal note"))
    def leave_note(key: DraftKey, invoice: Record, text: str) -> Drafted:
        """Leave a note with an invoice, for people who work in Odoo. Nobody is mailed."""
        with telling():
            return books.remark(Key(key), invoice, text)


def _move(
    kind: str,
    partner: int,
    lines: list[Line],
    issued: date | None,
    due: date | None,
    reference: str,
    narration: str,
    currency: str,
) -> NewMove:
    made = tuple(_line(line) for line in lines)
    return NewMove(Kind(kind), partner, made, issued, due, reference, narration, currency)


def _line(line: Line) -> NewLine:
    taxes = None if line.taxes is None else tuple(line.taxes)
    return NewLine(line.label, line.unit_price, line.quantity, line.product, line.account, taxes)
