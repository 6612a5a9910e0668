"""Local's own look at an act on the books: the record as it is now, the owner's limits, and the partner's past."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from accounting import handbook, warnings
from accounting.records import commercial_partner, invoice_of, payment_of
from books.errors import BooksError, NoSuchRecord
from books.past import Past
from books.rpc import connect
from books.values import Kind, MoveState
from local_agent.check import Check
from local_agent.home import Settings
from local_agent.mcp.posting import Posting
from vault_protocol.action import BadAction, PostInvoice, RegisterPayment
from vault_protocol.errors import VaultError

NAMES = {
    "move_type": "the kind of document",
    "partner": "the partner",
    "reference": "the reference",
    "document": "the number of the document",
    "invoice_date": "the date",
    "due_date": "the due date",
    "currency": "the currency",
    "lines": "the lines",
    "untaxed": "the untaxed amount",
    "tax": "the tax",
    "total": "the total",
    "bank_account": "the bank account",
    "direction": "the direction of the payment",
    "residual": "the open amount",
    "journal": "the journal",
}
"""The fields of an action that the record says too, and what to call them."""


class BooksCheck:
    """Logs in once for each of the owner's books. `rules` gives the text of Company_Handbook.md."""

    def __init__(self, settings: Settings, rules: Callable[[], str]) -> None:
        self._settings, self._rules = settings, rules
        self._known: dict[str, Posting] = {}

    def __call__(self, action: PostInvoice | RegisterPayment, told: tuple[str, ...]) -> Check:
        """`told`: what Cloud warned of; it stays, and what Local sees is added."""
        try:
            books = self.open(action.account)
            state = books.state(action.record)
            if state.sha256 != action.state_sha256:
                return Check(True, ("the record was changed since this was drafted",), told)
            mismatches = differing(action, state)
            if isinstance(action, RegisterPayment) and action.journal not in books.journals():
                mismatches = (*mismatches, _differs("the journal"))
            past = self._past(books, action, state)
        except NoSuchRecord:
            return Check(False, reason=f"the books have no record {action.record}")
        except (BooksError, VaultError, BadAction) as error:
            return Check(False, reason=f"the books could not be read: {error}")
        own = warnings.of(action, handbook.read(self._rules()), past)
        return Check(True, mismatches, tuple(dict.fromkeys((*told, *own))))

    def open(self, name: str) -> Posting:
        """Raises VaultError for books that are not set up, BadCredentials without a key."""
        if name not in self._known:
            self._known[name] = Posting(connect(self._settings.books_account(name).access()))
        return self._known[name]

    def _past(self, books: Posting, action: PostInvoice | RegisterPayment, state: MoveState) -> Past:
        kind = Kind(str(state.content["kind"]))
        return books.past(partner=commercial_partner(state), kind=kind, but=action.record)


def differing(action: PostInvoice | RegisterPayment, state: MoveState) -> tuple[str, ...]:
    """What the action says otherwise than the record, which has the hash it names. Raises BadAction."""
    made: PostInvoice | RegisterPayment
    if isinstance(action, PostInvoice):
        made = invoice_of(state, action.account)
    else:
        made = payment_of(
            state, action.account, journal=action.journal, amount=Decimal(action.amount),
            on=date.fromisoformat(action.date),
        )  # fmt: skip
    fields = [name for name in NAMES if getattr(action, name, None) != getattr(made, name, None)]
    if not fields and made != action:
        return ("the record is not the one that is named",)
    return tuple(dict.fromkeys(_differs(NAMES[name]) for name in fields))


def _differs(what: str) -> str:
    return f"{what} {'are' if what.endswith('s') else 'is'} not what the books say"
