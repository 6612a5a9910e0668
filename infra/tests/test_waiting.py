"""`pulumi up` ends with the VM's own word, in moved time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from infra.waiting import EVERY_SECONDS, NotHealthy, Report, wait

MINE = "0123456789abcdef"


def word(state: str, *, orders: str = MINE, message: str = "", step: str = "up") -> str:
    return json.dumps({"orders": orders, "state": state, "step": step, "message": message, "at": "12:00"})


def waited(words: Sequence[str | None], *, minutes: int = 10) -> tuple[Report, int, list[str]]:
    """What came of it when the VM says these words one after another, how often was looked, and what was told."""
    looked, told = 0, list[str]()

    async def look() -> str | None:
        nonlocal looked
        looked += 1
        return words[min(looked, len(words)) - 1]

    async def sleep(seconds: float) -> None:
        assert seconds == EVERY_SECONDS

    loop = asyncio.new_event_loop()
    try:
        report = loop.run_until_complete(
            wait(look, orders=MINE, minutes=minutes, logs="logs/x", sleep=sleep, say=told.append)
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
