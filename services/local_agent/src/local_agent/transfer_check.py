"""What the owner should look at twice before money leaves. Nothing here decides; the owner does, with step-up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from accounting import handbook
from accounting.money import Money
from local_agent.check import Check
from local_agent.home import Settings
from local_agent.payees import Payees
from vault_protocol.action import PayTransfer
from vault_protocol.bank_account import spaced
from vault_protocol.errors import VaultError

FAR = timedelta(days=60)


class TransferCheck:
    """`rules` gives the text of Company_Handbook.md, `today` the day."""

    def __init__(self, settings: Settings, payees: Payees, rules: Callable[[], str], today: Callable[[], date]) -> None:
        self._settings, self._payees, self._rules, self._today = settings, payees, rules, today

    def __call__(self, action: PayTransfer, told: tuple[str, ...]) -> Check:
        """`told`: what was warned of when it was drafted; it stays."""
        try:
            self._settings.payment_account(action.account)
        except VaultError as error:
            return Check(False, warnings=told, reason=str(error))
        return Check(True, (), tuple(dict.fromkeys((*told, *self._warnings(action)))))

    def _warnings(self, action: PayTransfer) -> Iterator[str]:
        yield from self._payee(action)
        limit, amount = handbook.read(self._rules()).payment, Money(Decimal(action.amount), action.currency)
        if limit is not None and limit.currency != amount.currency:
            yield f"Amount: {amount}; your limit in the Handbook is in {limit.currency}."
        elif limit is not None and amount.value >= limit.value:
            yield f"Amount: {amount} reaches your limit of {limit} in the Handbook."
        if action.bic and action.bic[4:6] != action.iban[:2]:
            yield f"The bank's code is of {action.bic[4:6]}, the account of {action.iban[:2]}."
        day, today = date.fromisoformat(action.execution), self._today()
        if day < today:
            yield f"Its day, {action.execution}, is over."
        elif day > today + FAR:
            yield f"Its day, {action.execution}, is more than {FAR.days} days away."

    def _payee(self, action: PayTransfer) -> Iterator[str]:
        known = self._payees.known(action)
        if action.iban in known.accounts:
            return
        if known.accounts:
            yield (
                f"Changed account: this payee was paid to {spaced(known.accounts[-1])} before. "
                "Call them on a number you know."
            )
        elif known.names:
            yield "This account was paid under another name before: look at the name."
        else:
            yield "New payee: nothing was ever paid to this account from this machine."
