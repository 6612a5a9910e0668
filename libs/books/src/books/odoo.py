"""Odoo's books over one `Rpc`: reading, sums and drafts put together."""

from __future__ import annotations

from books.drafting import Draft
from books.reading import Read
from books.reports import Report
from books.rpc import Access, Rpc, connect


class OdooBooks(Read, Report, Draft):
    """Implements `books.books.Books`."""

    def __init__(self, rpc: Rpc) -> None:
        Read.__init__(self, rpc)
        Report.__init__(self, rpc, self)
        Draft.__init__(self, rpc, self)

    def close(self) -> None:
        self._rpc.close()


def open_books(access: Access) -> OdooBooks:
    """The books at this address. Nothing is sent until the first call."""
    return OdooBooks(connect(access))
