"""One task as a sequential object: what each operation makes of it, and which answers it may give.

Written down a third time, with no import of the code: it is what the histories of a run are held against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class State:
    """A task between two operations. No stage: it is not in the vault yet."""

    stage: str = ""
    owner: str = ""
    attempt: int = 0
    revision: int = 0
    lease: str = ""
    """Until when, as it was written: a renewal is another lease."""


ABSENT = State()


@dataclass(frozen=True)
class No:
    """The operation was not made, and what its caller was told instead. None: that was not said."""

    stage: str | None = None
    revision: int | None = None
    owner: str | None = None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One call of one agent about one task. `end` is None when nobody ever heard of it again."""

    verb: str
    agent: str
    begin: int
    end: int | None
    answer: State | No | None = None
    """How the task stood right after; that it was not made; None when the answer was lost."""
    fence: int = 0
    """The attempt it was made under, 0 for none."""
    shown: tuple[str, int] | None = None
    """Stage and revision that a decision was about."""
    lease: str = ""
    """What a claim or a renewal asks for."""
    seen: State | None = None
    """The task in somebody else's hands that a reaping is about."""
    edited: bool = False
    """An approval of the owner's own text."""


Step = Callable[[State, Operation], State | None]


def step(state: State, operation: Operation) -> State | None:
    """The task after this operation; None when it may not be made now."""
    return STEPS[operation.verb](state, operation)


def answered(state: State, operation: Operation) -> State | None:
    """The task after this operation with the answer it gave; None when it cannot have answered so now."""
    after = step(state, operation)
    if isinstance(operation.answer, No):
        told = operation.answer
        fits = (
            told.stage in (None, state.stage)
            and told.revision in (None, state.revision)
            and told.owner in (None, state.owner)
        )
        return state if after is None and fits else None
    return after if operation.answer in (None, after) else None


def _add(state: State, _: Operation) -> State | None:
    return State("Needs_Action") if state == ABSENT else None


def _drop(state: State, _: Operation) -> State | None:
    """A note that no parser takes."""
    return State("Quarantine") if state == ABSENT else None


def _claim(state: State, asked: Operation) -> State | None:
    if state.stage != "Needs_Action":
        return None
    return State("In_Progress", asked.agent, state.attempt + 1, state.revision, asked.lease)


def _held(change: Step) -> Step:
    def held(state: State, asked: Operation) -> State | None:
        if (state.stage, state.owner, state.attempt) != ("In_Progress", asked.agent, asked.fence):
            return None
        return change(state, asked)

    return held


def _let_go(stage: str, later: int = 0) -> Step:
    return lambda state, _: State(stage, "", state.attempt, state.revision + later)


def _reap(state: State, asked: Operation) -> State | None:
    if asked.seen != state or state.stage != "In_Progress" or state.owner == asked.agent:
        return None
    return State("Needs_Action", "", state.attempt, state.revision)


def _decide(target: str, *sources: str, later: int = 0) -> Step:
    def decide(state: State, asked: Operation) -> State | None:
        if state.stage not in sources or asked.shown not in (None, (state.stage, state.revision)):
            return None
        return State(target, "", state.attempt, state.revision + later + asked.edited)

    return decide


def _set_aside(state: State, asked: Operation) -> State | None:
    return (_held(_let_go("Quarantine")) if asked.fence else _decide("Quarantine", "Needs_Action", "Pending_Approval"))(
        state, asked
    )


def _close(state: State, _: Operation) -> State | None:
    """What was put up for approval once is the owner's to end."""
    return None if state.revision else replace(state, stage="Done", owner="", lease="")


STEPS: Mapping[str, Step] = {
    "add": _add,
    "drop": _drop,
    "claim": _claim,
    "renew": _held(lambda state, asked: replace(state, lease=asked.lease)),
    "release": _held(_let_go("Needs_Action")),
    "submit": _held(_let_go("Pending_Approval", 1)),
    "close": _held(_close),
    "reap": _reap,
    "quarantine": _set_aside,
    "approve": _decide("Approved", "Pending_Approval"),
    "edit": _decide("Pending_Approval", "Pending_Approval", later=1),
    "reject": _decide("Rejected", "Pending_Approval"),
    "acknowledge": _decide("Done", "Pending_Approval"),
    "withdraw": _decide("Needs_Action", "Pending_Approval"),
    "send_back": _decide("Needs_Action", "Pending_Approval", "Rejected", "Quarantine"),
    "reopen": _decide("Pending_Approval", "Approved"),
    "finish": _decide("Done", "Approved"),
    "read": lambda state, _: state,
}
