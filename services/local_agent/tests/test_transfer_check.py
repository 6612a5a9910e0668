"""What the owner is warned of before money leaves."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from services.local_agent.tests.transferring import IBAN, OTHER_IBAN, transfer

from local_agent.home import Settings
from local_agent.payees import Payees
from local_agent.payment_account import PaymentAccount
from local_agent.transfer_check import TransferCheck
from vault_protocol.action import PayTransfer

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
RULES = "## Money\n\n| What | Priority | Warning |\n|---|---|---|\n| payment over €100 | high | amount |\n"


@pytest.fixture
def payees(tmp_path: Path) -> Payees:
    made = Payees(tmp_path / "payees.sqlite")
    made.remember(transfer(), effect="1", at=NOW)
    return made


def warned(payees: Payees, action: PayTransfer, told: tuple[str, ...] = ()) -> tuple[str, ...]:
    account = PaymentAccount(name="main", holder="Ann", iban="DE02120300000000202051", folder=Path("bank"))
    settings = Settings(vault="v", hub="h", folder=Path("f"), owner="Ann", payments=(account,))
    check = TransferCheck(settings, payees, lambda: RULES, lambda: date(2026, 11, 23))(action, told)
    assert check.original
    return check.warnings


def test_a_known_payee_below_the_limit_is_no_warning(payees: Payees) -> None:
    assert warned(payees, transfer(amount="99.99")) == ()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"iban": OTHER_IBAN, "bic": ""}, "Changed account: this payee was paid to DE89 3704"),
        ({"creditor": "paper mill GMBH", "iban": OTHER_IBAN, "bic": ""}, "Changed account"),
        ({"creditor": "Someone Else"}, "under another name before"),
        ({"creditor": "Someone Else", "iban": OTHER_IBAN, "bic": ""}, "New payee"),
        ({"creditor": "Рареr Mill GmbH", "iban": OTHER_IBAN, "bic": ""}, "New payee"),
        ({"amount": "100.00"}, "reaches your limit of 100.00 EUR"),
        ({"currency": "USD"}, "your limit in the Handbook is in EUR"),
        ({"bic": "BNPAFRPPXXX"}, "The bank's code is of FR, the account of DE"),
        ({"execution": "2026-11-22"}, "is over"),
        ({"execution": "2027-11-22"}, "more than 60 days"),
    ],
)
def test_what_needs_a_second_look_is_said(payees: Payees, changes: dict[str, str], says: str) -> None:
    (warning,) = warned(payees, transfer(**{"amount": "99.00", **changes}))
    assert says in warning


def test_what_was_warned_of_before_stays(payees: Payees) -> None:
    assert warned(payees, transfer(amount="1.00"), ("a word of Cloud",)) == ("a word of Cloud",)


def test_an_account_that_does_not_pay_from_here_cannot_be_checked(payees: Payees) -> None:
    settings = Settings(vault="v", hub="h", folder=Path("f"), owner="Ann")
    check = TransferCheck(settings, payees, lambda: RULES, lambda: date(2026, 11, 23))(transfer(), ())
    assert not check.original
    assert "no paying account 'main'" in check.reason


def test_an_account_paid_from_elsewhere_is_new_here(tmp_path: Path) -> None:
    assert Payees(tmp_path / "none.sqlite").known(transfer(iban=IBAN)).accounts == ()
