"""The books as the accounting worker has them, and the request that a draft in them becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from accounting import handbook, warnings
from accounting.records import commercial_partner, invoice_of
from books.books import Books
from books.odoo import OdooBooks
from books.past import Past, past
from books.rpc import Rpc
from books.values import Kind, State
from vault_protocol.action import BadAction, PostInvoice


class Unclear(Exception):
    """No request can be made of it by itself; the message lists for the owner what is missing."""


PastOf = Callable[[int, Kind, int], Past]
"""(commercial partner, kind, the document itself) → what was posted before."""


@dataclass(frozen=True)
class LedgerDesk:
    """One set of books. Raises what the books raise: BooksUnreachable means come back later."""

    name: str
    books: Books
    past: PastOf

    @classmethod
    def over(cls, name: str, rpc: Rpc) -> LedgerDesk:
        return cls(name, OdooBooks(rpc), lambda partner, kind, but: past(rpc, partner=partner, kind=kind, but=but))

    def posting(self, move: int, rules: str) -> tuple[PostInvoice, tuple[str, ...], Past]:
        """The request to post this draft, what to look at twice, and the partner's past. Raises Unclear."""
        state = self.books.state(move)
        if state.state is not State.DRAFT:
            raise Unclear(f"the books have it as {state.state.value} already: {state.number or f'record {move}'}")
        try:
            action = invoice_of(state, self.name)
            who = commercial_partner(state)
        except BadAction as error:
            raise Unclear(f"the draft, record {move}, cannot be put up: {error}") from None
        found = self.past(who, Kind(action.move_type), move)
        return action, warnings.of(action, handbook.read(rules), found), found
