"""`pulumi up` ends with the VM's own word, in moved time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from infra.waiting import EVERY_SECONDS, NotHealthy, Report, wait

MINE = "0123456789abcdef"


def word(
    state: str, *, orders: str = MINE, message: str = "", step: str = "up", vm: str = "this", at: str = "12:00"
) -> str:
    return json.dumps({"orders": orders, "instance": vm, "state": state, "step": step, "message": message, "at": at})


def waited(words: Sequence[str | None], *, minutes: int = 10, slow: float = 0.0) -> tuple[Report, int, list[str]]:
    """What came of it when the VM says these words one after another, how often was looked, and what was told.

    None is an object that is not there.
    """
    looked, told, now = 0, list[str](), 0.0

    async def look() -> str:
        nonlocal looked, now
        looked += 1
        now += slow
        found = words[min(looked, len(words)) - 1]
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
    old, new = word("failed", at="11:00"), word("failed", at="12:00", message="still")
    assert waited([old, old, word("working"), word("healthy")])[0].state == "healthy"
    with pytest.raises(NotHealthy, match="still"):
        waited([old, old, word("working"), new])
    with pytest.raises(NotHealthy, match=r"within 10 minutes: its last word was failed"):
        waited([old])


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
        (word("working", step="up", message="building"), "its last word was working, up at 12:00: building"),
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
