"""What the owner should look at twice before an act on the books. Cloud warns, and Local computes it again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from accounting.handbook import Rules
from accounting.money import Money
from books.past import Past
from vault_protocol.action import PostInvoice, RegisterPayment


def of(action: PostInvoice | RegisterPayment, rules: Rules, past: Past) -> tuple[str, ...]:
    """One line of plain text each."""
    return tuple(_of(action, rules, past))


def same_account(one: str, other: str) -> bool:
    """Spaces, hyphens and case are no difference."""
    return _bare(one) == _bare(other)


def _of(action: PostInvoice | RegisterPayment, rules: Rules, past: Past) -> Iterator[str]:
    if isinstance(action, RegisterPayment):
        yield from _amount(Money(Decimal(action.amount), action.currency), rules.payment, "payment")
        receives, whose = action.direction == "outbound", "theirs"
    else:
        yield from _amount(Money(Decimal(action.total), action.currency), rules.invoice, "invoice")
        receives, whose = action.move_type == "in_invoice", "this kind for them"
    if past.posted == 0:
        yield f"New partner: nothing of {whose} was ever posted in the books."
    if not receives:
        return
    if not past.bank_accounts:
        if action.bank_account and past.posted:
            yield "A bank account is named for the first time. Call them on a number you know."
    elif not action.bank_account:
        yield "No bank account is named here; the books know one of this partner."
    elif not any(same_account(action.bank_account, known) for known in past.bank_accounts):
        yield "Changed bank account: the books know another. Call them on a number you know."


def _amount(money: Money, limit: Money | None, what: str) -> Iterator[str]:
    if limit is None:
        return
    if money.currency != limit.currency:
        yield f"The {what} is in {money.currency}; your limit in the Handbook is in {limit.currency}."
    elif money.value >= limit.value:
        yield f"Amount: {money} reaches your limit of {limit} in the Handbook."


def _bare(account: str) -> str:
    return re.sub(r"[\s-]", "", account).upper()
