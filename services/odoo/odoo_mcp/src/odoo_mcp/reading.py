"""The tools that read."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from mcp.server import MCPServer
from mcp.types import ToolAnnotations
from pydantic import Field

from books.books import Reading
from books.drafts import Drafted, Key
from books.values import Balance, Figure, Kind, Move, MoveState, Owed, Partner, Product, State
from odoo_mcp.told import telling

Limit = Annotated[int, Field(ge=1, le=200)]
Record = Annotated[int, Field(ge=1)]


def add_reading(app: MCPServer, books: Reading) -> None:
    """Search and read; nothing in the books changes."""

    def reads(title: str) -> ToolAnnotations:
        return ToolAnnotations(title=title, read_only_hint=True, open_world_hint=False)

    @app.tool(annotations=reads("Find partners"))
    def search_partners(search: str = "", email: str = "", limit: Limit = 20) -> list[Partner]:
        """Partners whose name, address or tax number holds the text; `email` must match whole."""
        with telling():
            return list(books.partners(search, email=email, limit=limit))

    @app.tool(annotations=reads("Find products"))
    def search_products(search: str = "", limit: Limit = 20) -> list[Product]:
        """Products by name or code, with their list price."""
        with telling():
            return list(books.products(search, limit=limit))

    @app.tool(annotations=reads("Find invoices"))
    def search_invoices(
        partner: Record | None = None,
        kinds: list[Kind] | None = None,
        states: list[State] | None = None,
        unpaid: bool = False,
        search: str = "",
        limit: Limit = 20,
    ) -> list[Move]:
        """Invoices, bills and credit notes, newest first, without their lines."""
        with telling():
            found = books.invoices(
                partner=partner, kinds=kinds or (), states=states or (), unpaid=unpaid, search=search, limit=limit
            )
            return list(found)

    @app.tool(annotations=reads("Read an invoice"))
    def read_invoice(invoice: Record) -> Move:
        """One invoice, bill or credit note with its lines."""
        with telling():
            return books.invoice(invoice)

    @app.tool(annotations=reads("What an approval would cover"))
    def invoice_state(invoice: Record) -> MoveState:
        """The content and hash that an approval of posting has to carry."""
        with telling():
            return books.state(invoice)

    @app.tool(annotations=reads("Find what was drafted"))
    def find_draft(key: str) -> Drafted | None:
        """The record that was made under this key, if any."""
        with telling():
            return books.find(Key(key))

    @app.tool(annotations=reads("Balances"))
    def balances(on: date) -> list[Balance]:
        """Every account that holds something at the end of that day; credit is negative."""
        with telling():
            return list(books.balances(on=on))

    @app.tool(annotations=reads("Aged receivables"))
    def receivables(today: date) -> list[Owed]:
        """What customers owe, oldest due first, with the days it is over."""
        with telling():
            return list(books.receivables(today=today))

    @app.tool(annotations=reads("Revenue"))
    def revenue(first: date, last: date) -> Figure:
        """Posted income of those days, both included, with the query it comes from."""
        with telling():
            return books.revenue(first, last)

    @app.tool(annotations=reads("Cash"))
    def cash(on: date) -> Figure:
        """What bank and cash accounts hold at the end of that day, with the query it comes from."""
        with telling():
            return books.cash(on=on)
