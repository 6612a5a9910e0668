from __future__ import annotations

import pytest

from correspondence import Silence, never_answer, read

from .cases import Case, Value, mail
from .corpus import CORPUS

OWN = frozenset(["Owner@example.com"])


def reason(**headers: Value) -> Silence | None:
    return never_answer(read(mail("Hi\n", **headers)), own_addresses=OWN)


def test_a_mail_of_a_person_may_be_answered() -> None:
    assert reason() is None


def test_our_own_mail_is_never_answered() -> None:
    assert reason(From="OWNER@example.com") is Silence.OWN_MAIL


def test_a_mail_whose_answer_would_come_back_to_us_is_never_answered() -> None:
    assert reason(Reply_To="owner@EXAMPLE.com") is Silence.OWN_MAIL


def test_a_mail_that_also_asks_somebody_else_may_be_answered() -> None:
    assert reason(Reply_To="owner@example.com, ann@example.org") is None


def test_our_own_automatic_answer_is_first_of_all_our_own() -> None:
    assert reason(From="owner@example.com", Auto_Submitted="auto-replied") is Silence.OWN_MAIL


def test_a_mail_that_asks_to_answer_nobody_is_never_answered() -> None:
    assert reason(Reply_To="no-reply@example.org") is Silence.NO_REPLY


def test_a_machine_that_takes_answers_elsewhere_is_still_a_machine() -> None:
    assert reason(From="noreply@example.org", Reply_To="ann@example.org") is Silence.NO_REPLY


def test_a_mail_without_a_usable_address_is_never_answered() -> None:
    assert reason(From="root") is Silence.NO_REPLY_ADDRESS


@pytest.mark.parametrize(
    "case", [case for case in CORPUS if case.expected.get("automatic")], ids=lambda case: case.name
)
def test_no_machine_is_ever_answered(case: Case) -> None:
    assert never_answer(read(case.raw), own_addresses=OWN) == str(case.expected["automatic"])
