"""Thirty days of an office in minutes: mail, decisions and faults. Nothing is lost, doubled, or grows without end."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.soak.month import STRIDE, Month, month

pytestmark = pytest.mark.soak

DAYS = int(os.environ.get("COUNTERSIGN_SOAK_DAYS", "30"))
MAILS = 3
"""Questions a day; each is drafted and approved on that day. One newsletter besides."""
CALM = 0.4
"""Of the days, the first part: agents are killed. Then they run to the end, so that what they hold can be compared."""
GROWTH = 1.15
"""How much more memory at the end than after a week of running is flat."""


def cloud_is_killed(made: Month, numbers: list[int]) -> None:
    made.ask(numbers[0])
    assert made.world.cloud is not None
    made.world.kill(made.world.cloud)
    made.ask(numbers[1])
    made.world.start_cloud()


def local_is_killed(made: Month, numbers: list[int]) -> None:
    made.ask(numbers[0])
    made.approve(numbers[0])
    assert made.world.local is not None
    made.world.kill(made.world.local)
    made.ask(numbers[1])
    made.world.start_local()
    made.unlock()
    made.done(numbers[0])


def hub_is_killed(made: Month, numbers: list[int]) -> None:
    """Away for two hours, which nobody needs to be told of."""
    made.world.hub_leaves()
    made.ask(numbers[0])
    made.pass_by()
    made.ask(numbers[1])
    made.world.hub_returns()


def hub_is_away_for_long(made: Month, numbers: list[int]) -> None:
    """The owner is told, and told again that it is over."""
    made.world.hub_leaves()
    made.ask(numbers[0])
    for _ in range(4):
        made.pass_by()
    made.until(lambda: any("has not answered" in one for one in made.silences()), "an alarm for the hub")
    made.world.hub_returns()
    made.until_heard()
    made.until(lambda: not made.silences(), "the alarm is over")
    made.ask(numbers[1])


def mail_server_starts_anew(made: Month, numbers: list[int]) -> None:
    """Its numbers of messages are new, and it forgot all it had."""
    made.world.mail.provider.restart()
    made.ask(numbers[0])
    made.ask(numbers[1])


def mail_comes_twice(made: Month, numbers: list[int]) -> None:
    for number in numbers[:2]:
        made.ask(number)
        made.ask(number)


FAULTS: tuple[Callable[[Month, list[int]], None], ...] = (
    cloud_is_killed, local_is_killed, hub_is_killed, hub_is_away_for_long,
)  # fmt: skip
LATER: tuple[Callable[[Month, list[int]], None], ...] = (mail_server_starts_anew, mail_comes_twice, hub_is_killed)


def day(made: Month, at: int) -> None:
    """Night, mail in the morning (with a fault on every second day), decisions at noon, an evening."""
    for _ in range(4):
        made.pass_by()
        made.until_heard()
        made.look_for_alarms()
    made.unlock()
    numbers = [at * MAILS + one for one in range(MAILS)]
    early = at < DAYS * CALM
    faults = FAULTS if early else LATER
    if at % 2:
        faults[at // 2 % len(faults)](made, numbers)
    else:
        made.ask(numbers[0])
        made.ask(numbers[1])
    for number in numbers[2:]:
        made.ask(number)
    made.newsletter(at)
    for number in numbers:
        if not made.sent[number]:
            made.approve(number)
    for number in numbers:
        made.done(number)
    while made.now < made.begun + timedelta(days=at + 1):
        made.pass_by()
        made.until_heard()
        made.look_for_alarms()


def test_a_month_of_mail_with_faults(tmp_path: Path) -> None:
    with month(tmp_path) as made:
        made.unlock()
        started, memory, disks = time.monotonic(), list[dict[str, int]](), list[dict[str, int]]()
        for at in range(DAYS):
            day(made, at)
            memory.append(made.memory())
            disks.append(made.disks())
            print(
                json.dumps(
                    {"day": at + 1, "s": round(time.monotonic() - started), "kB": memory[-1], "bytes": disks[-1]}
                ),
                flush=True,
            )
        questions = range(DAYS * MAILS)
        assert {number: made.answers(number) for number in questions} == dict.fromkeys(questions, 1)
        fronts = [task.note.front for task in made.tasks()]
        raised = [(one.words("message_id") or one.words("due"), one.words("subject")) for one in fronts]
        assert len(raised) == len(set(raised)), "a mail, or a run of a schedule, has two tasks"
        print(made.world.countersign("doctor"))
        print(
            f"{DAYS} days in steps of {STRIDE}: {len(questions)} answered once, {made.looks} looks for alarms,",
            f"{made.moved_again} moved again",
        )
        assert made.alarms == []
        if DAYS >= 10:
            flat(memory)
            bounded(disks)


def flat(memory: list[dict[str, int]]) -> None:
    """What runs from two fifths on holds no more in its last days than in its first."""
    from_there = memory[int(len(memory) * CALM) + 1 :]
    for name in ("cloud", "local"):
        held = [one[name] for one in from_there]
        third = max(1, len(held) // 3)
        first, last = statistics.median(held[:third]), statistics.median(held[-third:])
        print(f"{name}: {first:.0f} kB, {third} days each, in the end {last:.0f} kB")
        assert last <= first * GROWTH, name


def bounded(disks: list[dict[str, int]]) -> None:
    """A third of the month takes about as much as the one before: what is kept grows with mail and nothing else."""
    third = len(disks) // 3
    for name in disks[0]:
        second = disks[2 * third - 1][name] - disks[third - 1][name]
        last = disks[3 * third - 1][name] - disks[2 * third - 1][name]
        print(f"{name}: {second} bytes in the second third, {last} in the last")
        assert last <= max(second, 0) * 1.5 + (1 << 20), name
