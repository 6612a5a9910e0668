"""The owner's limits, from the very table that `countersign init` writes, and the warnings they lead to."""

from decimal import Decimal
from pathlib import Path

import pytest
from libs.vault_protocol.tests.test_books_action import invoice, payment

from accounting import handbook, warnings
from accounting.handbook import Rules
from accounting.money import Money
from books.past import Past

ROOT = Path(__file__).parents[3]
FIRST = ROOT / "services/local_agent/src/local_agent/setup/notes/Company_Handbook.md"
KNOWN = Past(3, ("DE02 1203 0000 0000 2020 51",))
EUR_100 = Rules(Money(Decimal(100), "EUR"), Money(Decimal(100), "EUR"))


def test_the_first_handbook_is_understood_whole() -> None:
    rules = handbook.read(FIRST.read_text(encoding="utf-8"))
    assert rules == Rules(payment=Money(Decimal(50), "USD"), invoice=None, unread=())


def test_a_row_that_is_not_understood_is_told() -> None:
    text = "## Money\n\n| What | Priority | Warning |\n|---|---|---|\n| invoice over € 2.000 | high | amount |\n"
    rules = handbook.read(text + "| payments at night | high | x |\n| payment over a lot | high | amount |\n")
    assert rules.invoice == Money(Decimal(2000), "EUR")
    assert rules.unread == ("payments at night", "payment over a lot")


def test_nothing_is_warned_of_below_the_limit_for_a_known_partner_with_their_account() -> None:
    assert warnings.of(payment(amount="99.99"), EUR_100, KNOWN) == ()


@pytest.mark.parametrize(
    ("action", "rules", "past", "warning"),
    [
        (payment(), EUR_100, KNOWN, "Amount: 100.00 EUR reaches your limit of 100.00 EUR"),
        (payment(), Rules(Money(Decimal(50), "USD")), KNOWN, "The payment is in EUR; your limit"),
        (invoice(), EUR_100, KNOWN, "Amount: 460.00 EUR reaches"),
        (payment(), Rules(), Past(0), "New partner"),
        (invoice(move_type="in_invoice"), Rules(), Past(0), "New partner"),
        (payment(bank_account="LT121000011101001000"), Rules(), KNOWN, "Changed bank account"),
        (invoice(move_type="in_invoice", bank_account="LT121000011101001000"), Rules(), KNOWN, "Changed bank account"),
        (payment(bank_account=""), Rules(), KNOWN, "No bank account is named here"),
        (payment(), Rules(), Past(3), "A bank account is named for the first time"),
    ],
)
def test_what_needs_a_second_look_is_warned_of(action: object, rules: Rules, past: Past, warning: str) -> None:
    (told,) = warnings.of(action, rules, past)  # type: ignore[arg-type]
    assert told.startswith(warning)


def test_where_money_comes_in_no_account_of_the_payer_is_warned_of() -> None:
    assert warnings.of(payment(direction="inbound", bank_account="LT121000011101001000"), Rules(), KNOWN) == ()
    assert warnings.of(invoice(bank_account=""), Rules(), KNOWN) == ()
