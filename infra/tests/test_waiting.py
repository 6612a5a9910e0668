"""`pulumi up` ends with the VM's own word, in moved time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from infra.waiting import EVERY_SECONDS, NotHealthy, Report, wait

MINE = "0123456789abcdef"
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When the first look is."""


def stamp(minutes: float) -> str:
    """As the VM writes a moment, so long after the first look."""
    return (BEGIN + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def word(
    state: str, *, orders: str = MINE, message: str = "", step: str = "up", vm: str = "this", at: str = stamp(0)
) -> str:
    return json.dumps({"orders": orders, "instance": vm, "state": state, "step": step, "message": message, "at": at})


def waited(
    words: Sequence[str | None] | Callable[[float], str], *, minutes: int = 10, slow: float = 0.0, skew: float = 0.0
) -> tuple[Report, int, list[str]]:
    """What came of it when the VM says these words one after another, how often was looked, and what was told.

    None is an object that is not there; a function is asked what is there after so many minutes. `skew` is by how many
    minutes the clock of the operator's machine is before the VM's.
    """
    looked, told, now = 0, list[str](), 0.0

    async def look() -> str:
        nonlocal looked, now
        looked += 1
        now += slow
        found = words(now / 60) if callable(words) else words[min(looked, len(words)) - 1]
        if found is None:
            raise RuntimeError("404 ObjectNotFound")
        return found

    async def sleep(seconds: float) -> None:
        nonlocal now
        assert seconds == EVERY_SECONDS
        now += seconds

    loop = asyncio.new_event_loop()
    try:
        report = loop.run_until_complete(
            wait(
                look,
                orders=MINE,
                instance="this",
                minutes=minutes,
                logs="logs/x",
                sleep=sleep,
                say=told.append,
                clock=lambda: now,
                today=lambda: BEGIN + timedelta(minutes=skew, seconds=now),
            )
        )
    finally:
        loop.close()
    return report, looked, told


def test_it_ends_when_these_very_orders_are_carried_out() -> None:
    report, looked, told = waited(
        [None, "", "no JSON", word("healthy", orders="older"), word("working"), word("healthy")]
    )
    assert (report.state, looked) == ("healthy", 6)
    assert told == ["the VM: healthy, up", "the VM: working, up", "the VM: healthy, up"]


def test_a_failure_is_told_at_once_with_its_step_its_words_and_what_to_do() -> None:
    with pytest.raises(NotHealthy, match=r"failed at release .*not release 0.1.0.*logs/x.*run `pulumi up` again"):
        waited([None, word("failed", step="release", message="x.tar.gz is not release 0.1.0")])


def test_the_word_of_a_vm_that_was_replaced_is_none_of_this_one() -> None:
    _, looked, _ = waited([word("healthy", vm="gone"), word("healthy", vm="gone"), word("healthy")])
    assert looked == 3
    with pytest.raises(NotHealthy, match="never reported"):
        waited([word("failed", vm="gone")])


def test_a_failure_from_before_this_run_waits_for_the_next_try() -> None:
    old, new = word("failed", at=stamp(-60)), word("failed", at=stamp(1), message="still")
    assert waited([old, old, word("working"), word("healthy")])[0].state == "healthy"
    with pytest.raises(NotHealthy, match="still"):
        waited([old, old, word("working"), new])
    with pytest.raises(NotHealthy, match=r"within 10 minutes: its last word was failed"):
        waited([old])


WEEKS = -3 * 7 * 24 * 60


def test_a_vm_that_died_weeks_ago_is_not_healthy_by_what_it_said_then() -> None:
    with pytest.raises(NotHealthy, match=r"was healthy, up at 2026-02-08T12:00:00Z: well. That report is old .*serial"):
        waited([word("healthy", at=stamp(WEEKS), message="well")], minutes=120)
    with pytest.raises(NotHealthy, match="That report is old"):
        waited([None, word("healthy", at=stamp(WEEKS))])


@pytest.mark.parametrize(("said", "looks"), [(-1, 1), (-19, 1), (-21, 41)])
def test_a_vm_whose_word_is_as_old_as_one_that_lives_may_have_is_healthy_at_once(said: float, looks: int) -> None:
    def words(minute: float) -> str:
        return word("healthy", at=stamp(said if minute < 10 else 10))

    assert waited(words, minutes=20)[1] == looks


@pytest.mark.parametrize("skew", [-600, -30, -4, 0, 15, 30, 600])
def test_however_wrong_the_operators_clock_is_a_vm_that_lives_is_heard_within_its_quarter_of_an_hour(
    skew: float,
) -> None:
    def words(minute: float) -> str:
        return word("healthy", at=stamp(-1 if minute < 14 else 14))

    report, looked, _ = waited(words, minutes=20, skew=skew)
    assert report.at == stamp(-1 if skew in (-4, 0, 15) else 14)
    assert looked <= 57


@pytest.mark.parametrize("skew", [WEEKS - 60, -600, 0, 600])
def test_however_wrong_the_operators_clock_is_a_dead_vm_is_not_healthy(skew: float) -> None:
    with pytest.raises(NotHealthy, match="That report is old"):
        waited([word("healthy", at=stamp(WEEKS))], minutes=45, skew=skew)


@pytest.mark.parametrize("at", ["now", "", "12:00", "2026-03-01"])
def test_a_word_without_a_time_counts_only_when_it_is_new(at: str) -> None:
    with pytest.raises(NotHealthy):
        waited([word("healthy", at=at)])
    assert waited([word("healthy", at=at), word("healthy", at=stamp(0))])[1] == 2


def test_why_the_last_look_failed_is_told_when_nothing_was_heard() -> None:
    with pytest.raises(NotHealthy, match="404 ObjectNotFound"):
        waited([None])


def test_a_slow_provider_does_not_stretch_the_wait() -> None:
    with pytest.raises(NotHealthy):
        waited([None] * 20 + [word("healthy")], slow=120)


def test_a_failure_of_older_orders_is_none_of_these() -> None:
    assert waited([word("failed", orders="older"), word("healthy")])[0].state == "healthy"


@pytest.mark.parametrize(
    ("last", "says"),
    [
        (None, "never reported.*serial log"),
        (word("healthy", orders="older"), "still runs what it was told before"),
        (
            word("working", step="up", message="building"),
            "its last word was working, up at 2026-03-01T12:00:00Z: building",
        ),
    ],
)
def test_silence_ends_with_what_was_heard_last_and_what_to_look_at(last: str | None, says: str) -> None:
    with pytest.raises(NotHealthy, match=rf"within 10 minutes: .*{says}"):
        waited([last])


def test_it_looks_for_as_long_as_was_set() -> None:
    with pytest.raises(NotHealthy):
        waited([None], minutes=5)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"orders": 1}', "\x00", '"x"'])
def test_whatever_lies_in_the_bucket_is_a_report_or_nothing(text: str) -> None:
    assert Report.parse(text) is None
