"""A client in a process of its own, to be killed: it reads from standard input what to draft."""

import json
import sys
from datetime import date
from decimal import Decimal

from books.drafts import Key, NewLine, NewMove
from books.odoo import open_books
from books.rpc import Access
from books.values import Kind


def new(partner: int, reference: str) -> NewMove:
    line = NewLine("Work", Decimal(100), taxes=())
    return NewMove(Kind.INVOICE, partner, (line,), issued=date(2026, 11, 20), reference=reference)


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    books = open_books(Access(**asked["access"]))
    books.draft(Key(asked["key"]), new(asked["partner"], asked["key"]))
