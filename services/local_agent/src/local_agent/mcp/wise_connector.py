"""A transfer through Wise: everything that moves nothing first, then the transfer under our key, then its funding."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

from local_agent.effects.execute import Outcome, Policy
from local_agent.effects.ledger import State
from local_agent.http import NoAnswer, NotSent
from local_agent.mcp.wise import GONE, RETURNED, WAITS, Later, Odd, Refused, Transfer, Wise
from local_agent.payees import Payees
from local_agent.payment_account import NoToken, PaymentAccount
from vault_protocol.action import PayTransfer
from vault_protocol.approval import Approved
from vault_protocol.errors import VaultError

UNDER_WAY = timedelta(minutes=10)
"""How long what was asked for may still be at work at Wise."""


class WiseTransfer:
    """Implements `effects.Connector` for PayTransfer. `account` gives the settings of a name, `wise` the client."""

    name = "transfer-wise"
    policy = Policy(
        dedupe="customerTransactionId, a UUID that follows from the effect: Wise makes one transfer of it",
        probe="the list of transfers at Wise, by that id, and the state of the one that is there",
        retries=False,
    )

    def __init__(
        self, account: Callable[[str], PaymentAccount], wise: Callable[[PaymentAccount], Wise], payees: Payees,
        now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._account, self._wise, self._payees, self._now = account, wise, payees, now

    def perform(self, what: Approved[PayTransfer], *, key: str, at: datetime) -> Outcome:
        action = what.action
        try:
            account = self._account(action.account)
            wise = self._wise(account)
            quote, recipient = wise.quote(action), wise.recipient(action)
        except (NotSent, NoAnswer, Later, Odd) as error:
            return Outcome(State.NOT_DONE, f"Wise cannot be asked: {error}")
        except Refused as error:
            return _refused(error)
        except NoToken as error:
            return Outcome(State.NOT_DONE, str(error), pause=f"login failed: {error}")
        except VaultError as error:
            return Outcome(State.REFUSED, str(error))
        try:
            made = wise.create(action, quote=quote, recipient=recipient, ours=transaction_id(key))
        except (NotSent, Later) as error:
            return Outcome(State.NOT_DONE, f"Wise cannot be asked: {error}")
        except Refused as error:
            return _refused(error)
        except (NoAnswer, Odd) as error:
            return Outcome(State.UNKNOWN, f"the answer was lost: {error}")
        if made.ours != transaction_id(key) or not _fits(made, action) or made.recipient != recipient:
            return Outcome(State.UNKNOWN, f"{made} has our transaction id and says something else; look at it at Wise")
        return self._funded(wise, made) if account.funding == "balance" else _in_app(made)

    def probe(self, action: PayTransfer, *, key: str, at: datetime, tried: datetime) -> Outcome:
        try:
            account = self._account(action.account)
            found = self._wise(account).find(transaction_id(key), since=at)
        except (NotSent, NoAnswer, Later, Odd, Refused, VaultError) as error:
            return Outcome(State.UNKNOWN, f"Wise cannot be asked: {error}")
        under_way = self._now() - tried < UNDER_WAY
        if found is None:
            if under_way:
                return Outcome(State.UNKNOWN, "Wise shows no such transfer; what was asked for may still be under way")
            return Outcome(State.NOT_DONE, "Wise has no such transfer")
        if not _fits(found, action):
            return Outcome(State.UNKNOWN, f"{found} has our transaction id and says something else", seen=True)
        if found.status in GONE:
            return Outcome(State.REFUSED, f"{found} was cancelled", seen=True)
        if found.status in RETURNED:
            return Outcome(State.CONFIRMED, f"{found}: Wise gave the money back ({found.status})", seen=True)
        if found.status not in WAITS:
            return Outcome(State.CONFIRMED, str(found), seen=True)
        if account.funding == "app":
            return Outcome(State.CONFIRMED, _in_app(found).detail, seen=True)
        said = "what was asked for may still be under way" if under_way else "pay for it or cancel it there"
        return Outcome(State.UNKNOWN, f"{found} waits for its money; {said}", seen=True)

    def afterwards(self, action: PayTransfer, *, key: str, at: datetime) -> None:
        self._payees.remember(action, effect=key, at=at)

    def _funded(self, wise: Wise, made: Transfer) -> Outcome:
        if made.status in GONE:
            return Outcome(State.REFUSED, f"{made} was cancelled")
        if made.status not in WAITS:
            return Outcome(State.CONFIRMED, str(made))
        try:
            wise.fund(made)
        except (NotSent, Later, Refused) as error:
            return self._taken_back(wise, made, str(error))
        except (NoAnswer, Odd) as error:
            return Outcome(State.UNKNOWN, f"the answer was lost: {error}")
        return Outcome(State.CONFIRMED, str(made))

    def _taken_back(self, wise: Wise, made: Transfer, why: str) -> Outcome:
        """It was surely not paid for. Left there it could still be, so it is cancelled, and only that is certain."""
        with suppress(NotSent, NoAnswer, Later, Odd, Refused):
            if wise.cancel(made).status in GONE:
                return Outcome(State.REFUSED, f"{why}; {made} was cancelled")
        return Outcome(State.UNKNOWN, f"{why}; {made} waits there: cancel it, or pay for it")


def transaction_id(key: str) -> str:
    """32 hex digits as the UUID that Wise wants."""
    return str(uuid.UUID(key))


def _fits(found: Transfer, action: PayTransfer) -> bool:
    return (found.amount, found.currency) == (Decimal(action.amount), action.currency)


def _in_app(made: Transfer) -> Outcome:
    return Outcome(State.CONFIRMED, f"{made} waits for you to confirm it at Wise")


def _refused(error: Refused) -> Outcome:
    if error.auth:
        return Outcome(State.NOT_DONE, str(error), pause=f"login failed: {error}")
    return Outcome(State.REFUSED, str(error))
