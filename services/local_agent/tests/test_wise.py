"""Transfers through Wise, over a server that behaves as its documentation says: paid once, and every doubt is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from services.local_agent.tests.outside import Fate
from services.local_agent.tests.transferring import Desk, Died, by_wise, transfer
from services.local_agent.tests.wise_server import WiseServer

from local_agent.effects import Done, Refusal, Unsure
from local_agent.http import Http
from local_agent.mcp.wise_connector import UNDER_WAY

LATER = UNDER_WAY + timedelta(seconds=1)


@pytest.fixture
def server() -> Iterator[WiseServer]:
    made = WiseServer()
    with made:
        yield made


@pytest.fixture
def desk(server: WiseServer, tmp_path: Path) -> Iterator[Desk]:
    made = by_wise(tmp_path, server)
    yield made
    for ledger in made.ledgers:
        ledger.close()


def test_an_approved_transfer_is_paid_once_however_often_it_is_asked_for(server: WiseServer, desk: Desk) -> None:
    signed = desk.approve(transfer())
    answers = [desk.execute(transfer(), signed) for _ in range(3)]
    assert all(isinstance(answer, Done) for answer in answers)
    assert server.paid == [1000]
    assert server.transfers[1000]["targetValue"] == 119.0
    assert server.recipients[1]["details"]["IBAN"] == transfer().iban
    assert server.transfers[1000]["reference"] == transfer().reference


def test_in_the_app_it_is_made_and_waits_for_the_owner(server: WiseServer, tmp_path: Path) -> None:
    desk = by_wise(tmp_path, server, funding="app")
    answer = desk.execute(transfer(), desk.approve(transfer()))
    assert isinstance(answer, Done)
    assert "waits for you to confirm it at Wise" in answer.effect.detail
    assert server.paid == []
    desk.ledgers[0].close()


@pytest.mark.parametrize("fate", [Fate.ANSWER_LOST, Fate.REQUEST_LOST])
@pytest.mark.parametrize("call", [0, 1], ids=["creating", "paying"])
def test_a_lost_answer_is_looked_for_and_never_repeated(server: WiseServer, desk: Desk, call: int, fate: Fate) -> None:
    server.fates.extend([Fate.ANSWERED] * call + [fate])
    signed = desk.approve(transfer())
    first = desk.execute(transfer(), signed)
    calls = len(server.calls)
    paid = call == 1 and fate is Fate.ANSWER_LOST
    assert isinstance(first, Done if paid else Unsure)
    desk.clock.tick(LATER)
    second = desk.execute(transfer(), signed)
    assert len(server.calls) == calls, "it was asked for again"
    assert len(server.paid) == paid
    nothing_made = call == 0 and fate is Fate.REQUEST_LOST
    assert isinstance(second, Done if paid else Refusal if nothing_made else Unsure)


@pytest.mark.parametrize("fate", [Fate.TOO_MANY, Fate.BROKEN])
def test_a_server_that_is_busy_or_broken_is_not_asked_again(server: WiseServer, desk: Desk, fate: Fate) -> None:
    server.fates.append(fate)
    signed = desk.approve(transfer())
    assert isinstance(desk.execute(transfer(), signed), Refusal if fate is Fate.TOO_MANY else Unsure)
    desk.clock.tick(LATER)
    assert isinstance(desk.execute(transfer(), signed), Refusal)
    assert (server.paid, server.transfers) == ([], {})


def test_too_little_money_cancels_the_transfer_and_goes_back_to_the_owner(server: WiseServer, desk: Desk) -> None:
    server.balance = Decimal(1)
    answer = desk.execute(transfer(), desk.approve(transfer()))
    assert isinstance(answer, Refusal)
    assert "balance.payment-option-unavailable" in answer.reason
    assert server.transfers[1000]["status"] == "cancelled"


def test_where_wise_wants_its_own_confirmation_nothing_is_left_waiting(server: WiseServer, desk: Desk) -> None:
    server.sca = True
    answer = desk.execute(transfer(), desk.approve(transfer()))
    assert isinstance(answer, Refusal)
    assert "SCA" in answer.reason
    assert server.transfers[1000]["status"] == "cancelled"


def test_what_is_refused_before_anything_was_made_goes_back_with_the_reason(server: WiseServer, desk: Desk) -> None:
    action = transfer(creditor="Nobody")
    answer = desk.execute(action, desk.approve(action))
    assert isinstance(answer, Refusal)
    assert "not that of an account" in answer.reason
    assert server.transfers == {}


def test_a_transaction_id_that_stands_for_something_else_is_told_and_not_paid(server: WiseServer, desk: Desk) -> None:
    """Wise gives back what it has under the id, whatever was asked for this time."""
    signed = desk.approve(transfer())
    server.fates.append(Fate.ANSWER_LOST)
    desk.execute(transfer(), signed)
    server.transfers[1000]["targetValue"] = 9000.0
    answer = desk.execute(transfer(), signed)
    assert isinstance(answer, Unsure)
    assert "says something else" in answer.reason
    assert server.paid == []


def test_a_refused_token_pauses_every_effect_and_is_not_in_the_words(server: WiseServer, tmp_path: Path) -> None:
    desk = by_wise(tmp_path, server, token="an-old-token")
    assert isinstance(desk.execute(transfer(), desk.approve(transfer())), Refusal)
    paused = str(desk.ledgers[0].paused())
    assert "login failed" in paused
    assert "an-old-token" not in paused
    desk.ledgers[0].close()


@pytest.mark.parametrize("step", ["started", "performed", "outcome", "copied"])
def test_a_death_at_any_step_pays_at_most_once(server: WiseServer, desk: Desk, step: str) -> None:
    signed = desk.approve(transfer())
    desk.die_at = step
    with pytest.raises(Died):
        desk.execute(transfer(), signed)
    desk.die_at = ""
    desk.clock.tick(LATER)
    answer = desk.execute(transfer(), signed)
    assert len(server.paid) == (step != "started")
    assert isinstance(answer, Refusal if step == "started" else Done)


def test_an_address_that_would_carry_the_token_in_the_clear_is_refused() -> None:
    with pytest.raises(ValueError, match="https"):
        Http("http://api.wise.com", {})


def test_a_second_approval_of_the_task_pays_nothing_more(server: WiseServer, desk: Desk) -> None:
    desk.execute(transfer(), desk.approve(transfer()))
    assert isinstance(desk.execute(transfer(), desk.approve(transfer())), Refusal)
    assert server.paid == [1000]
