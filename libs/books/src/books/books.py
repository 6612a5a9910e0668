"""What Cloud may do with the books: read them, and draft in them. Posting is not here, nor anything that pays."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol

from books.drafts import Drafted, Key, NewMove, NewPartner, NewQuotation, Quotation
from books.values import Balance, BankAccount, Figure, Kind, Move, MoveState, Owed, Partner, Product, State


class Reading(Protocol):
    """The books, read. Every method may raise the errors of `Rpc.call`."""

    def partners(self, search: str = "", *, email: str = "", limit: int = 20) -> tuple[Partner, ...]:
        """Whose name, address or tax number holds the text; `email` must match whole."""
        ...

    def partner(self, partner: int) -> Partner: ...

    def bank_accounts(self, partner: int) -> tuple[BankAccount, ...]:
        """Those of the partner, or of the company behind a contact."""
        ...

    def products(self, search: str = "", *, limit: int = 20) -> tuple[Product, ...]: ...

    def invoices(
        self,
        *,
        partner: int | None = None,
        kinds: Iterable[Kind] = (),
        states: Iterable[State] = (),
        unpaid: bool = False,
        search: str = "",
        limit: int = 20,
    ) -> tuple[Move, ...]:
        """Newest first, without their lines. No `kinds` means all that are drafted."""
        ...

    def invoice(self, move: int) -> Move:
        """With its lines. Raises NoSuchRecord."""
        ...

    def state(self, move: int) -> MoveState:
        """What an approval has to cover; needs the addon."""
        ...

    def balances(self, *, on: date) -> tuple[Balance, ...]:
        """Every account that holds something at the end of that day, posted entries only."""
        ...

    def receivables(self, *, today: date) -> tuple[Owed, ...]:
        """What customers owe now, oldest due first."""
        ...

    def revenue(self, first: date, last: date) -> Figure:
        """Posted income of those days, both included, positive, in the company's currency."""
        ...

    def cash(self, *, on: date) -> Figure:
        """What bank and cash accounts hold at the end of that day."""
        ...

    def find(self, key: Key) -> Drafted | None:
        """What was made under this key."""
        ...


class Drafting(Protocol):
    """Drafts. The same key never makes a second record: repeat a call whose answer was lost."""

    def draft(self, key: Key, new: NewMove) -> Drafted: ...

    def change(self, move: int, new: NewMove) -> Move:
        """Replace what a draft of ours says; a due date that is not given stays.

        Raises BooksRefused (`not-draft`) when it is no draft any more.
        """
        ...

    def enter_partner(self, key: Key, new: NewPartner) -> Drafted: ...

    def quote(self, key: Key, new: NewQuotation) -> Drafted:
        """Raises BooksRefused (`no-model`) when Odoo has no module for it."""
        ...

    def quotation(self, quotation: int) -> Quotation: ...

    def attach(self, key: Key, move: int, name: str, content: bytes, *, media_type: str) -> Drafted: ...

    def remark(self, key: Key, move: int, text: str) -> Drafted:
        """An internal note on the move. Nobody is mailed."""
        ...


class Books(Reading, Drafting, Protocol):
    """All of it."""
