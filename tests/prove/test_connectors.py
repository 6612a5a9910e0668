"""Whatever the connector: killed at every named step, and with a fifth of its answers lost, at most one effect for an
approval, and every doubt told to the owner."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from libs.vault_protocol.tests import made

from local_agent.effects import Ledger
from tests.prove.connectors import ALL_ROWS, ROWS
from tests.prove.one_effect import NOW, STEPS, approve, executor, processes, write
from tests.prove.outsides import Outside, Row

LATER = timedelta(minutes=11)
"""When nothing that was asked for can still be under way."""
KILLED = -9


class Died(BaseException):
    """The process is gone at this step."""


def ends_well(row: Row, folder: Path, outside: Outside, number: int, told: str) -> None:
    """What the owner is told fits what happened: done and once, or not done, or asked about."""
    with closing(Ledger(folder / "ledger.sqlite")) as ledger:
        key = executor(row, folder, ledger, NOW)
        (effect,) = ledger.of_task(made.task_id(number))
        times = outside.happened().count(outside.mark(number, key.message_key(effect.id)))
        unsure = made.task_id(number) in {one.task for one in ledger.unknown()}
    assert times <= 1, "it happened twice"
    assert told in {"Done", "Refusal", "Unsure", "Waiting"}
    if told == "Done":
        assert times == 1, "it is called done and did not happen"
    if told in ("Refusal", "Waiting"):
        assert times == 0, "it happened, and the owner is told that it did not"
    assert unsure == (told == "Unsure"), "a doubt is not told"


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_death_at_any_step_is_one_effect_at_most(row: Row, step: str, tmp_path: Path) -> None:
    def reached(passed: str) -> None:
        if passed == step:
            raise Died(step)

    with row.serve(tmp_path, 0) as outside, closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        action = outside.action(0)
        signed = approve(action, 0)
        with pytest.raises(Died):
            executor(row, tmp_path, ledger, NOW, reached).execute(action, signed)
        before = outside.happened()
        assert len(before) == (step != "started")
        answers = [
            type(executor(row, tmp_path, ledger, NOW + after).execute(action, signed)).__name__
            for after in (timedelta(seconds=1), LATER)
        ]
        assert outside.happened() == before, "it was done again"
        if step in ("outcome", "copied"):
            assert answers == ["Done", "Done"]
        ends_well(row, tmp_path, outside, 0, answers[-1])


@pytest.mark.prove
@pytest.mark.parametrize("row", ALL_ROWS, ids=lambda row: row.name)
def test_killed_at_every_step_and_again_while_it_recovers_it_is_one_effect_at_most(row: Row, tmp_path: Path) -> None:
    pairs = [(first, second) for first in STEPS for second in ("", *STEPS)]
    with row.serve(tmp_path, 0) as outside, processes() as run:
        for number, (first, second) in enumerate(pairs):
            write(tmp_path, number, outside.action(number))
            died = run(row, tmp_path, number, 0, first)
            assert died.code == KILLED, died.told
            if second:
                run(row, tmp_path, number, 700, second)  # it may have nothing left to do at that step
            ended = run(row, tmp_path, number, 1400, "")
            assert ended.code == 0, ended.told
            ends_well(row, tmp_path, outside, number, ended.told)
            if first in ("outcome", "copied"):
                assert ended.told == "Done", f"killed at {first}, then at {second or 'nothing'}"


@pytest.mark.parametrize("sends", [pytest.param(12, id="12"), pytest.param(200, marks=pytest.mark.prove, id="200")])
@pytest.mark.parametrize("row", [row for row in ROWS if row.loses], ids=lambda row: row.name)
def test_with_a_fifth_of_the_answers_lost_each_happens_once_at_most_and_every_doubt_is_told(
    row: Row, sends: int, tmp_path: Path
) -> None:
    told: dict[int, str] = {}
    with row.serve(tmp_path, 5) as outside, closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        for number in range(sends):
            action = outside.action(number)
            signed = approve(action, number)
            first, again = (type(executor(row, tmp_path, ledger, NOW).execute(action, signed)) for _ in range(2))
            assert first is again
            told[number] = first.__name__
        assert max(Counter(outside.happened()).values(), default=0) == 1, "one of them happened twice"
        for number, words in told.items():
            ends_well(row, tmp_path, outside, number, words)
        if sends >= 100:
            assert 0 < sum(words != "Done" for words in told.values()) < 0.5 * sends
