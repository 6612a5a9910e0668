"""Posting and paying as effects. The books hold the record against the approved state inside their own transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from accounting.records import invoice_of, payment_of
from books.errors import BadCredentials, BooksError, BooksRefused, BooksUnreachable, NoSuchRecord, NotNow
from books.values import MoveState, State
from local_agent.effects.execute import Outcome, Policy
from local_agent.effects.ledger import State as Known
from vault_protocol.action import BadAction, Journal, PostInvoice, RegisterPayment
from vault_protocol.approval import Approved
from vault_protocol.errors import VaultError

UNDER_WAY = timedelta(minutes=10)
"""How long a call whose answer was lost may still be at work in the books: far longer than Odoo lets one run."""


class Acting(Protocol):
    """What the connectors need of `posting.Posting`."""

    def state(self, record: int) -> MoveState: ...

    def post(self, record: int, *, state_sha256: str, approval: str) -> MoveState: ...

    def register_payment(
        self, record: int, *, state_sha256: str, approval: str, journal: int, amount: str, on: date
    ) -> MoveState: ...

    def journals(self) -> tuple[Journal, ...]: ...


Open = Callable[[str], Acting]
"""The books of a name. Raises VaultError for one that is not set up here, BadCredentials without a key."""


class PostConnector:
    """Implements `effects.Connector` for PostInvoice."""

    name = "post"
    policy = Policy(
        dedupe="the record's state and the hash of its content, held in the posting transaction",
        probe="the record: posted, and under which approval",
        retries=True,
    )

    def __init__(self, books: Open, now: Callable[[], datetime]) -> None:
        self._books, self._now = books, now

    def perform(self, what: Approved[PostInvoice], *, key: str, at: datetime) -> Outcome:
        action = what.action
        before = _before(lambda: self._see(action))
        if before is not None:
            return before
        try:
            state = self._books(action.account).post(
                action.record, state_sha256=action.state_sha256, approval=action.digest
            )
        except BooksError as error:
            return _after(error)
        return Outcome(Known.CONFIRMED, state.number)

    def probe(self, action: PostInvoice, *, key: str, at: datetime, tried: datetime) -> Outcome:
        try:
            state = self._books(action.account).state(action.record)
        except (BooksError, VaultError) as error:
            return Outcome(Known.UNKNOWN, f"the books cannot be asked: {error}")
        if state.approval == action.digest:
            return Outcome(Known.CONFIRMED, state.number, seen=True)
        if state.state is not State.DRAFT:
            return Outcome(Known.REFUSED, f"the record is {state.state.value}, and not by this approval")
        if self._now() - tried < UNDER_WAY:
            return Outcome(Known.UNKNOWN, "the record is a draft; what was asked for may still be under way")
        return Outcome(Known.NOT_DONE, "the record is still a draft")

    def afterwards(self, action: PostInvoice, *, key: str, at: datetime) -> None:
        return

    def _see(self, action: PostInvoice) -> Outcome | None:
        """The words the owner approved must be those of the record with this hash; the books look at the hash only."""
        state = self._books(action.account).state(action.record)
        if state.approval == action.digest:
            return Outcome(Known.CONFIRMED, state.number)
        if state.sha256 != action.state_sha256:
            return Outcome(Known.REFUSED, "changed: the record is not what was approved; look at it again")
        if invoice_of(state, action.account) != action:
            return Outcome(Known.REFUSED, "the record in this state says something else than the approved words")
        return None


class PaymentConnector:
    """Implements `effects.Connector` for RegisterPayment."""

    name = "payment"
    policy = Policy(
        dedupe="the hash of the record's content, which a payment changes, held in the paying transaction",
        probe="the record: the approvals under which it was paid",
        retries=False,
    )

    def __init__(self, books: Open, now: Callable[[], datetime]) -> None:
        self._books, self._now = books, now

    def perform(self, what: Approved[RegisterPayment], *, key: str, at: datetime) -> Outcome:
        action = what.action
        before = _before(lambda: self._see(action))
        if before is not None:
            return before
        try:
            state = self._books(action.account).register_payment(
                action.record, state_sha256=action.state_sha256, approval=action.digest, journal=action.journal.id,
                amount=action.amount, on=date.fromisoformat(action.date),
            )  # fmt: skip
        except BooksError as error:
            return _after(error)
        return Outcome(Known.CONFIRMED, state.number)

    def probe(self, action: RegisterPayment, *, key: str, at: datetime, tried: datetime) -> Outcome:
        """Only the approval on a payment proves it. Its absence proves nothing: never paid again by itself."""
        try:
            state = self._books(action.account).state(action.record)
        except (BooksError, VaultError) as error:
            return Outcome(Known.UNKNOWN, f"the books cannot be asked: {error}")
        if action.digest in state.payments:
            return Outcome(Known.CONFIRMED, state.number, seen=True)
        return Outcome(Known.UNKNOWN, "the books show no payment under this approval; look before you pay again")

    def afterwards(self, action: RegisterPayment, *, key: str, at: datetime) -> None:
        return

    def _see(self, action: RegisterPayment) -> Outcome | None:
        books = self._books(action.account)
        state = books.state(action.record)
        if action.digest in state.payments:
            return Outcome(Known.CONFIRMED, state.number)
        if state.sha256 != action.state_sha256:
            return Outcome(Known.REFUSED, "changed: the record is not what was approved; look at it again")
        made = payment_of(
            state, action.account, journal=action.journal, amount=Decimal(action.amount),
            on=date.fromisoformat(action.date),
        )  # fmt: skip
        if made != action:
            return Outcome(Known.REFUSED, "the record in this state says something else than the approved words")
        if action.journal not in books.journals():
            return Outcome(Known.REFUSED, f"the books have no bank or cash journal {action.journal.name!r}")
        return None


def _before(see: Callable[[], Outcome | None]) -> Outcome | None:
    """Looking first: whatever goes wrong here, nothing was asked for yet."""
    try:
        return see()
    except BadCredentials as error:
        return Outcome(Known.NOT_DONE, str(error), pause=f"login failed: {error}")
    except BooksUnreachable as error:
        return Outcome(Known.NOT_DONE, f"the books cannot be asked: {error}")
    except (BadAction, BooksError, VaultError) as error:
        return Outcome(Known.REFUSED, str(error))


def _after(error: BooksError) -> Outcome:
    """After acting was asked for: only what the books themselves undid surely did not happen."""
    match error:
        case NotNow():
            return Outcome(Known.NOT_DONE, str(error))
        case BadCredentials():
            return Outcome(Known.NOT_DONE, str(error), pause=f"login failed: {error}")
        case BooksRefused() | NoSuchRecord():
            return Outcome(Known.REFUSED, str(error))
        case _:
            return Outcome(Known.UNKNOWN, f"the answer was lost: {error}")
