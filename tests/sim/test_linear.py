"""The judge of histories is judged: by hand-written ones, runs of the specification, lies, and brute force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, permutations
from random import Random

import pytest

from tests.sim import linear
from tests.sim.histories import BAD, GOOD, ONE, TAKEN, History, read, under
from tests.sim.linear import NotLinearizable, TooWide
from tests.sim.runs import LIES, Lie, Run
from tests.sim.specification import ABSENT, STEPS, Operation, State, answered

RUNS = 400


@pytest.mark.parametrize("history", GOOD.values(), ids=GOOD)
def test_a_history_that_one_task_could_give_is_accepted(history: History) -> None:
    assert {id(one) for one in linear.order(history)} <= {id(one) for one in history}


@pytest.mark.parametrize("history", BAD.values(), ids=BAD)
def test_a_history_that_no_task_could_give_is_refused(history: History) -> None:
    with pytest.raises(NotLinearizable):
        linear.order(history)


def test_the_order_found_keeps_to_the_intervals_and_gives_the_answers() -> None:
    for seed in range(100):
        found = linear.order(Run(Random(seed)).go(12))
        state = ABSENT
        for i, one in enumerate(found):
            assert not any(later.end is not None and later.end < one.begin for later in found[i:])
            after = answered(state, one)
            assert after is not None
            state = after


def test_every_run_of_the_specification_is_accepted() -> None:
    for seed in range(RUNS):
        linear.order(Run(Random(seed), lost=0.3 * (seed % 3)).go(25))


def test_the_runs_make_every_operation_and_give_every_kind_of_answer() -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for seed in range(RUNS):
        seen.update((one.verb, type(one.answer).__name__) for one in Run(Random(seed)).go(25))
    made = {verb for verb, kind in seen if kind == "State"}
    assert made == set(STEPS)
    assert {kind for _, kind in seen} == {"State", "No", "NoneType"}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_run_with_a_lie_in_it_is_refused(lie: Lie) -> None:
    told = 0
    for seed in range(RUNS):
        history = lie(Run(Random(seed)).go(12))
        if history is not None:
            told += 1
            with pytest.raises(NotLinearizable):
                linear.order(history)
    assert told >= 20


def test_the_verdict_is_that_of_trying_every_order() -> None:
    """On short histories with answers and intervals shaken until most of them are lies."""
    verdicts: Counter[bool] = Counter()
    for seed in range(RUNS):
        rng = Random(seed)
        history = shaken(Run(rng, lost=0.3).go(4), rng)
        verdict = by_brute_force(history)
        verdicts[verdict] += 1
        try:
            linear.order(history)
            found = True
        except NotLinearizable:
            found = False
        assert found == verdict, history
    assert min(verdicts.values()) > RUNS // 10


def test_a_search_without_end_is_given_up_and_not_called_good() -> None:
    late = (under("renew", ONE, 1, 4, None, None, f"t{n}") for n in range(20))
    history = [*TAKEN, *late, read(5, 6, State("Done"))]

    with pytest.raises(TooWide):
        linear.order(history, limit=1000)


def shaken(history: list[Operation], rng: Random) -> list[Operation]:
    found = list(history)
    for _ in range(rng.randrange(3)):
        i, j = rng.randrange(len(found)), rng.randrange(len(found))
        one, other = found[i], found[j]
        if one.end is not None and other.end is not None:
            found[i] = Operation(**{**vars(one), "answer": other.answer})
    return found


def by_brute_force(history: Sequence[Operation]) -> bool:
    """Every choice of lost operations, every order."""
    sure = [one for one in history if one.end is not None]
    lost = [one for one in history if one.end is None]
    chosen = (some for size in range(len(lost) + 1) for some in combinations(lost, size))
    return any(_explains(line) for some in chosen for line in permutations([*sure, *some]))


def _explains(line: Sequence[Operation]) -> bool:
    state = ABSENT
    for i, one in enumerate(line):
        if any(later.end is not None and later.end < one.begin for later in line[i + 1 :]):
            return False
        after = answered(state, one)
        if after is None:
            return False
        state = after
    return True
