"""Runs of the specification itself: clients at once, answers late or lost; and what makes such a history a lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from tests.sim.specification import ABSENT, STEPS, No, Operation, State, step

AGENTS = ("cloud-1", "cloud-2", "cloud-3", "local")
VERBS = tuple(STEPS)


@dataclass
class Waiting:
    """An operation under way; `after` is set once it was made."""

    operation: Operation
    happened: bool = False
    answer: State | No | None = None


@dataclass
class Run:
    """`history` is what the clients saw of a task that kept to the specification."""

    rng: Random
    lost: float = 0.15
    state: State = ABSENT
    now: int = 0
    history: list[Operation] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)

    def go(self, operations: int) -> list[Operation]:
        begun = 0
        while begun < operations or self.waiting:
            self.now += 1
            if begun < operations and (len(self.waiting) < 2 or self.rng.random() < 0.3):
                begun += 1
                self.waiting.append(Waiting(self._asked()))
                continue
            one = self.rng.choice(self.waiting)
            if not one.happened:
                self._happens(one)
            else:
                self._ends(one)
        self.now += 1
        self.history.append(Operation(verb="read", agent="hub", begin=self.now, end=self.now + 1, answer=self.state))
        return self.history

    def _asked(self) -> Operation:
        """Most of the time something that may succeed, now and then anything."""
        for _ in range(20):
            asked = self._any()
            if step(self.state, asked) is not None or self.rng.random() < 0.1:
                return asked
        return self._any()

    def _any(self) -> Operation:
        rng, state = self.rng, self.state
        verb, agent = rng.choice(VERBS), rng.choice(AGENTS)
        held = state.stage == "In_Progress"
        return Operation(
            verb=verb, agent=agent, begin=self.now, end=None,
            fence=state.attempt if held and verb in ("renew", "release", "submit", "close", "quarantine") else 0,
            shown=None if held else (state.stage, state.revision),
            lease=f"t{self.now}" if verb in ("claim", "renew") else "",
            seen=state if verb == "reap" else None,
            edited=verb == "approve" and rng.random() < 0.3,
        )  # fmt: skip

    def _happens(self, one: Waiting) -> None:
        one.happened = True
        if self.rng.random() < self.lost / 2:
            self.waiting.remove(one)  # it never arrived
            self.history.append(one.operation)
            return
        after = step(self.state, one.operation)
        if after is None:
            one.answer = No(self.state.stage, self.state.revision, self.state.owner)
        else:
            one.answer = self.state = after

    def _ends(self, one: Waiting) -> None:
        self.waiting.remove(one)
        if self.rng.random() < self.lost / 2:
            self.history.append(one.operation)
        else:
            self.history.append(replace(one.operation, end=self.now, answer=one.answer))


Lie = Callable[[list[Operation]], list[Operation] | None]
"""The history with something in it that no order explains; None when it has no place for that."""


def _done(history: list[Operation], *verbs: str) -> list[int]:
    return [
        i for i, one in enumerate(history) if isinstance(one.answer, State) and (not verbs or one.verb in verbs)
    ]  # fmt: skip


def _last(history: list[Operation]) -> int:
    return max(one.end or one.begin for one in history) + 1


def an_attempt_given_twice(history: list[Operation]) -> list[Operation] | None:
    claims = _done(history, "claim")
    if not claims:
        return None
    first = history[claims[0]]
    assert isinstance(first.answer, State)
    return [*history, replace(first, agent="thief", answer=replace(first.answer, owner="thief"))]


def a_task_added_twice(history: list[Operation]) -> list[Operation] | None:
    adds = _done(history, "add")
    return [*history, replace(history[adds[0]], agent="thief")] if adds else None


def a_count_that_falls(history: list[Operation]) -> list[Operation] | None:
    end = history[-1]
    if not isinstance(end.answer, State) or end.answer.attempt + end.answer.revision == 0:
        return None
    begin = _last(history)
    lower = State(end.answer.stage, end.answer.owner, 0, 0, end.answer.lease)
    return [*history, replace(end, begin=begin, end=begin + 1, answer=lower)]


def an_end_that_is_none(history: list[Operation]) -> list[Operation] | None:
    begin = _last(history)
    if history[-1].answer == ABSENT:
        return None
    done = Operation(verb="read", agent="x", begin=begin, end=begin + 1, answer=State("Done", "", 99, 99))
    return [*history, done]


def a_write_before_its_claim(history: list[Operation]) -> list[Operation] | None:
    """The holder's write ends before the claim of that attempt begins."""
    writes = [i for i in _done(history, "submit", "release", "renew") if history[i].end is not None]
    for i in writes:
        claims = [j for j in _done(history, "claim") if _attempt(history[j]) == history[i].fence]
        if claims and (begin := history[claims[0]].begin) > 1:
            moved = replace(history[i], begin=begin - 1, end=begin - 1)
            return [*history[:i], moved, *history[i + 1 :]]
    return None


def a_vanished_task(history: list[Operation]) -> list[Operation] | None:
    if history[-1].answer == ABSENT:
        return None
    begin = _last(history)
    return [*history, replace(history[-1], begin=begin, end=begin + 1, answer=ABSENT)]


def a_claim_of_nobody_asked(history: list[Operation]) -> list[Operation] | None:
    """An accepted claim that another agent's answers know nothing of."""
    claims = [i for i in _done(history, "claim") if history[i].end is not None]
    if not claims or any(one.end is None for one in history):
        return None
    one = history[claims[-1]]
    assert isinstance(one.answer, State)
    jumped = replace(one.answer, attempt=one.answer.attempt + 7)
    return [*history[: claims[-1]], replace(one, answer=jumped), *history[claims[-1] + 1 :]]


def _attempt(one: Operation) -> int:
    return one.answer.attempt if isinstance(one.answer, State) else 0


LIES: dict[str, Lie] = {
    lie.__name__: lie
    for lie in (
        an_attempt_given_twice, a_task_added_twice, a_count_that_falls, an_end_that_is_none,
        a_write_before_its_claim, a_vanished_task, a_claim_of_nobody_asked,
    )
}  # fmt: skip
