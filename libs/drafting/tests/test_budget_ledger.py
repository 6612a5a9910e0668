"""The record of what was spent: never over a cap, whatever dies, and in whatever order things happen."""

import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drafting.budget.caps import Cap, Caps, Price, Tokens, micros
from drafting.budget.ledger import DamagedLedger, Ledger, OverCap, Reservation

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
TODAY = "2026-11-26.jsonl"


class Clock:
    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def kept(ledger: Ledger, task: str = "t", tokens: int = 10, money: int = 10, caps: Caps | None = None) -> Reservation:
    return ledger.reserve(task, "m", tokens=tokens, money=money, caps=caps or Caps(), zone=UTC)


def test_what_is_settled_counts_as_it_was_and_what_is_not_counts_whole(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, Clock())
    one, _ = kept(ledger), kept(ledger)
    ledger.settle(one, Tokens(3, 1, cached=2), 2)
    spent = ledger.spent(UTC)
    assert (spent.tokens, spent.money, spent.cached, spent.requests) == (14, 12, 2, 2)
    again = Ledger(tmp_path, Clock())
    assert again.spent(UTC) == spent
    assert again.of_task("t") == (14, 12)


@pytest.mark.parametrize("cap", Cap)
def test_each_cap_refuses_what_could_go_over_it_and_lets_through_what_just_fits(tmp_path: Path, cap: Cap) -> None:
    caps = Caps(**{cap.replace("-", "_"): 25})
    ledger = Ledger(tmp_path, Clock())
    for amount in (10, 10, 5):
        kept(ledger, tokens=amount, money=amount, caps=caps)
    with pytest.raises(OverCap) as caught:
        kept(ledger, tokens=1, money=1, caps=caps)
    assert caught.value.cap is cap
    if cap in (Cap.MONEY_A_TASK, Cap.TOKENS_A_TASK):
        kept(ledger, "another", caps=caps)


def test_past_its_share_of_a_cap_a_dearer_model_is_refused_and_a_cheaper_one_is_not(tmp_path: Path) -> None:
    ledger, caps = Ledger(tmp_path, Clock()), Caps(money_a_day=100)
    kept(ledger, money=80, caps=caps)
    with pytest.raises(OverCap, match="the day's money is used up to 80%"):
        ledger.reserve("t", "dear", tokens=1, money=1, caps=caps, zone=UTC, share=0.8)
    ledger.reserve("t", "cheap", tokens=1, money=1, caps=caps, zone=UTC)


def test_a_new_day_in_the_owners_zone_has_a_new_budget_and_a_clock_that_goes_back_has_not(tmp_path: Path) -> None:
    clock = Clock(datetime(2026, 11, 26, 22, 59, tzinfo=UTC))
    caps, berlin = Caps(tokens_a_day=10), ZoneInfo("Europe/Berlin")
    ledger = Ledger(tmp_path, clock)

    def ask() -> Reservation:
        return ledger.reserve("t", "m", tokens=10, money=0, caps=caps, zone=berlin)

    ask()
    clock.at += timedelta(minutes=2)
    assert ask().day == date(2026, 11, 27)
    clock.at -= timedelta(days=2)
    with pytest.raises(OverCap):
        ask()
    with pytest.raises(OverCap):
        Ledger(tmp_path, clock).reserve("t", "m", tokens=10, money=0, caps=caps, zone=UTC)


def test_a_task_pays_for_what_it_cost_on_other_days(tmp_path: Path) -> None:
    clock, caps = Clock(), Caps(tokens_a_task=10)
    kept(Ledger(tmp_path, clock), tokens=6, caps=caps)
    clock.at += timedelta(days=3)
    with pytest.raises(OverCap, match="the task's tokens is used up"):
        kept(Ledger(tmp_path, clock), tokens=5, caps=caps)


def test_days_long_past_are_forgotten(tmp_path: Path) -> None:
    clock = Clock()
    kept(Ledger(tmp_path, clock))
    clock.at += timedelta(days=41)
    ledger = Ledger(tmp_path, clock)
    kept(ledger)
    assert [path.name for path in tmp_path.iterdir()] == ["2027-01-06.jsonl"]


def test_a_line_that_was_cut_off_by_the_end_of_the_machine_is_taken_away_and_the_next_is_whole(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, Clock())
    kept(ledger)
    with (tmp_path / TODAY).open("ab") as file:
        file.write(b'{"of":1,"asked":0,"sa')
    again = Ledger(tmp_path, Clock())
    kept(again)
    assert Ledger(tmp_path, Clock()).spent(UTC).tokens == 20
    for line in (tmp_path / TODAY).read_bytes().splitlines():
        json.loads(line)


@pytest.mark.parametrize(
    "line", ["nonsense", '{"of":7,"asked":0,"said":0,"cached":0,"written":0,"money":0}', "[]", "{}"]
)
def test_a_file_that_another_hand_wrote_in_is_named_with_its_line_and_what_to_do(tmp_path: Path, line: str) -> None:
    kept(Ledger(tmp_path, Clock()))
    with (tmp_path / TODAY).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(DamagedLedger, match=rf"{TODAY}: line 2 is damaged; move the file away"):
        Ledger(tmp_path, Clock()).load()


def test_a_reservation_that_the_disk_did_not_take_is_none_and_nothing_of_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path, Clock())
    kept(ledger)
    real = os.fsync

    def fails(handle: int) -> None:
        raise OSError(5, "the disk fails")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="the disk fails"):
        kept(ledger)
    monkeypatch.setattr(os, "fsync", real)
    assert ledger.spent(UTC).tokens == 10
    kept(ledger)
    assert Ledger(tmp_path, Clock()).spent(UTC).tokens == 20


def test_threads_that_ask_at_once_never_go_over_together(tmp_path: Path) -> None:
    ledger, caps, refused = Ledger(tmp_path, Clock()), Caps(tokens_a_day=55), []
    begin = threading.Barrier(8)

    def asks() -> None:
        begin.wait()
        try:
            kept(ledger, tokens=10, caps=caps)
        except OverCap as error:
            refused.append(error)

    threads = [threading.Thread(target=asks) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.spent(UTC).tokens == 50
    assert len(refused) == 3


CAPS = Caps(money_a_day=1_000, tokens_a_day=900, money_a_task=600, tokens_a_task=500)
AMOUNT, SHARE = st.integers(1, 300), st.integers(0, 100)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from("abc"), AMOUNT, AMOUNT, SHARE),
        st.tuples(st.just("answer"), st.integers(0, 9)),
        st.tuples(st.just("refuse"), st.integers(0, 9)),
        st.tuples(st.just("die")),
        st.tuples(st.just("die while keeping room"), st.sampled_from("abc"), AMOUNT, AMOUNT, SHARE),
        st.tuples(st.just("die while settling"), st.integers(0, 9), SHARE),
        st.tuples(st.just("clock"), st.integers(-30, 30)),
    ),
    max_size=40,
)


class Trial:
    """A provider that charges a part of what was kept at the moment it is asked, and an agent that may die anywhere."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.ledger = Ledger(folder, self.clock)
        self.charged: dict[object, list[int]] = {}
        self.flying: list[tuple[Reservation, int, int]] = []

    def ask(self, task: str, tokens: int, money: int, share: int) -> None:
        try:
            room = kept(self.ledger, task, tokens, money, CAPS)
        except OverCap:
            return
        used = tokens * share // 100, money * share // 100
        for key in (room.day, task):
            sums = self.charged.setdefault(key, [0, 0])
            sums[0] += used[0]
            sums[1] += used[1]
        self.flying.append((room, *used))

    def answer(self, at: int) -> None:
        if self.flying:
            room, tokens, money = self.flying.pop(at % len(self.flying))
            self.ledger.settle(room, Tokens(tokens, 0), money)

    def refuse(self, at: int) -> None:
        """The provider charged nothing for it."""
        if self.flying:
            room, tokens, money = self.flying.pop(at % len(self.flying))
            for key in (room.day, room.task):
                self.charged[key][0] -= tokens
                self.charged[key][1] -= money
            self.ledger.settle(room, Tokens(0, 0), 0)

    def die(self) -> None:
        """What flew stays charged; nobody settles it."""
        self.flying.clear()
        self.ledger = Ledger(self.folder, self.clock)

    def die_while(self, write: Callable[[], None], share: int) -> None:
        """The last line is on the disk in part."""
        before = {path: path.stat().st_size for path in self.folder.iterdir()}
        write()
        for path in self.folder.iterdir():
            old, new = before.get(path, 0), path.stat().st_size
            if new > old:
                os.truncate(path, old + (new - old - 1) * share // 100)
        self.die()

    def within(self) -> None:
        for key, (tokens, money) in self.charged.items():
            if isinstance(key, date):
                assert tokens <= 900
                assert money <= 1_000
            else:
                assert tokens <= 500
                assert money <= 600
        again = Ledger(self.folder, self.clock)
        for task in "abc":
            assert again.of_task(task) == self.ledger.of_task(task)


@given(STEPS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_dies_or_interleaves_spends_more_than_a_cap(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]]
) -> None:
    trial = Trial(tmp_path_factory.mktemp("ledger"))
    for what, *facts in steps:
        match what, facts:
            case "ask", [str(task), int(tokens), int(money), int(share)]:
                trial.ask(task, tokens, money, share)
            case "answer", [int(at)]:
                trial.answer(at)
            case "refuse", [int(at)]:
                trial.refuse(at)
            case "die", _:
                trial.die()
            case "die while keeping room", [str(task), int(tokens), int(money), int(share)]:

                def keep(task: str = task, tokens: int = tokens, money: int = money) -> None:
                    try:
                        kept(trial.ledger, task, tokens, money, CAPS)
                    except OverCap:
                        return

                trial.die_while(keep, share)
            case "die while settling", [int(at), int(share)]:
                trial.die_while(partial(trial.answer, at), share)
            case "clock", [int(hours)]:
                trial.clock.at += timedelta(hours=hours)
        trial.within()


def test_a_price_counts_what_came_from_the_cache_and_rounds_up() -> None:
    price = Price(Decimal(3), Decimal(15), Decimal("0.3"), Decimal("3.75"))
    assert price.of(Tokens(asked=1_000, said=100, cached=800, written=100)) == 300 + 240 + 375 + 1_500
    assert price.of(Tokens(1, 0, cached=1)) == 1
    assert Price(Decimal(3), Decimal(15)).of(Tokens(1_000, 0, cached=1_000)) == 3_000


@given(st.integers(0, 10**6), st.integers(0, 10**5), st.integers(0, 100), st.integers(0, 100))
def test_no_answer_costs_more_than_the_dearest_that_room_was_kept_for(
    asked: int, said: int, cached: int, written: int
) -> None:
    price = Price(Decimal("3"), Decimal("15"), Decimal("0.3"), Decimal("3.75"))
    used = Tokens(asked, said, asked * cached // 200, asked * written // 200)
    assert price.of(used) <= price.most(asked, said)


def test_a_cap_is_never_raised_by_rounding_nor_by_another() -> None:
    assert micros(Decimal("0.0000019")) == 1
    assert Caps(10, None, 5).lowered(Caps(20, 7)) == Caps(10, 7, 5)
