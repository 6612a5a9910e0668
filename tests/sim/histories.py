"""Histories of one task with known verdicts, written by hand."""

from __future__ import annotations

from typing import TypeAlias

from tests.sim.specification import ABSENT, No, Operation, State

ONE, TWO, OWNER = "cloud-1", "cloud-2", "local"
LOST = None
"""The answer of an operation that nobody heard of again."""

History: TypeAlias = tuple[Operation, ...]


def waits(attempt: int = 0, revision: int = 0) -> State:
    return State("Needs_Action", "", attempt, revision)


def held(by: str, attempt: int = 1, revision: int = 0, until: str = "t1") -> State:
    return State("In_Progress", by, attempt, revision, until)


def asks(revision: int = 1, attempt: int = 1) -> State:
    return State("Pending_Approval", "", attempt, revision)


def at(stage: str, revision: int = 1, attempt: int = 1) -> State:
    return State(stage, "", attempt, revision)


def add(begin: int, end: int | None, answer: State | No | None, by: str = ONE) -> Operation:
    return Operation(verb="add", agent=by, begin=begin, end=end, answer=answer)


def claim(by: str, begin: int, end: int | None, answer: State | No | None, until: str = "t1") -> Operation:
    return Operation(verb="claim", agent=by, begin=begin, end=end, answer=answer, lease=until)


def under(
    verb: str, by: str, fence: int, begin: int, end: int | None, answer: State | No | None, until: str = ""
) -> Operation:
    """What the holder does: renew, release, submit, close, quarantine."""
    return Operation(verb=verb, agent=by, begin=begin, end=end, answer=answer, fence=fence, lease=until)


def decide(
    verb: str, shown: tuple[str, int], begin: int, end: int | None, answer: State | No | None, *, edited: bool = False
) -> Operation:
    return Operation(
        verb=verb, agent=OWNER, begin=begin, end=end, answer=answer, shown=shown, edited=edited
    )  # fmt: skip


def reap(by: str, seen: State, begin: int, end: int | None, answer: State | No | None) -> Operation:
    return Operation(verb="reap", agent=by, begin=begin, end=end, answer=answer, seen=seen)


def read(begin: int, end: int, answer: State) -> Operation:
    return Operation(verb="read", agent="anybody", begin=begin, end=end, answer=answer)


R1 = ("Pending_Approval", 1)
BORN = add(0, 1, waits())
TAKEN = (BORN, claim(ONE, 2, 3, held(ONE)))
ASKED = (*TAKEN, under("submit", ONE, 1, 4, 5, asks()))

GOOD: dict[str, History] = {
    "nothing happened": (read(0, 1, ABSENT),),
    "from mail to done": (
        *ASKED,
        decide("approve", R1, 6, 7, at("Approved")),
        decide("finish", ("Approved", 1), 8, 9, at("Done")),
        read(10, 11, at("Done")),
    ),
    "of two claims at once one wins": (
        BORN,
        claim(ONE, 2, 6, held(ONE)),
        claim(TWO, 3, 5, No(owner=ONE)),
        read(7, 8, held(ONE)),
    ),
    "the later of two overlapping claims comes first": (
        BORN,
        claim(ONE, 2, 9, held(ONE, 2)),
        claim(TWO, 3, 8, held(TWO, 1)),
        under("release", TWO, 1, 4, 7, waits(1)),
    ),
    "a claim whose answer was lost took effect": (
        BORN,
        claim(ONE, 2, None, LOST),
        claim(TWO, 4, 5, No(owner=ONE)),
        read(6, 7, held(ONE)),
    ),
    "a claim whose answer was lost never happened": (
        BORN,
        claim(ONE, 2, None, LOST),
        claim(TWO, 4, 5, held(TWO)),
        read(6, 7, held(TWO)),
    ),
    "a lost claim takes effect long after": (
        BORN,
        claim(ONE, 2, None, LOST),
        read(3, 4, waits()),
        read(5, 6, waits()),
        read(7, 8, held(ONE)),
    ),
    "two lost publishes, both happened": (
        BORN,
        claim(ONE, 2, None, LOST),
        under("submit", ONE, 1, 3, None, LOST),
        read(8, 9, asks()),
    ),
    "a reaped holder is fenced off": (
        *TAKEN,
        reap(TWO, held(ONE), 4, 5, waits(1)),
        under("submit", ONE, 1, 6, 7, No(owner="")),
        claim(TWO, 8, 9, held(TWO, 2)),
        under("submit", ONE, 1, 10, 11, No(owner=TWO)),
    ),
    "a renewal is faster than its reaper": (
        *TAKEN,
        reap(TWO, held(ONE), 4, 9, No(owner=ONE)),
        under("renew", ONE, 1, 5, 6, held(ONE, until="t2"), "t2"),
    ),
    "a reaper is faster than the renewal": (
        *TAKEN,
        reap(TWO, held(ONE), 4, 9, waits(1)),
        under("renew", ONE, 1, 5, 8, No(owner=""), "t2"),
    ),
    "a withdrawal and an approval meet, and the approval is late": (
        *ASKED,
        decide("withdraw", R1, 6, 10, waits(1, 1)),
        decide("approve", R1, 7, 11, No(revision=1)),
    ),
    "the owner approves their own words": (
        *ASKED,
        decide("approve", R1, 6, 7, at("Approved", 2), edited=True),
    ),
    "a mail that arrives twice is one task": (BORN, add(2, 3, No(), by=TWO), read(4, 5, waits())),
    "a newsletter ends without the owner": (*TAKEN, under("close", ONE, 1, 4, 5, at("Done", 0))),
    "rejected, and then after all": (
        *ASKED,
        decide("reject", R1, 6, 7, at("Rejected")),
        decide("send_back", ("Rejected", 1), 8, 9, waits(1, 1)),
        claim(TWO, 10, 11, held(TWO, 2, 1)),
        under("submit", TWO, 2, 12, 13, asks(2, 2)),
    ),
    "an approval that no longer holds comes back": (
        *ASKED,
        decide("approve", R1, 6, 7, at("Approved")),
        decide("reopen", ("Approved", 1), 8, 9, asks()),
        decide("approve", R1, 10, 11, at("Approved")),
    ),
    "a poisoned task is set aside and brought back": (
        *TAKEN,
        under("quarantine", ONE, 1, 4, 5, at("Quarantine", 0)),
        decide("send_back", ("Quarantine", 0), 6, 7, waits(1)),
    ),
}

BAD: dict[str, History] = {
    "owned twice": (BORN, claim(ONE, 2, 5, held(ONE)), claim(TWO, 3, 6, held(TWO))),
    "claimed before it arrived": (claim(ONE, 0, 1, held(ONE)), add(2, 3, waits())),
    "added twice": (BORN, add(2, 3, waits(), by=TWO)),
    "an attempt is given twice": (
        *TAKEN,
        under("release", ONE, 1, 4, 5, waits(1)),
        claim(TWO, 6, 7, held(TWO, 1)),
    ),
    "the attempt jumps": (BORN, claim(ONE, 2, 3, held(ONE, 2))),
    "submitted under an attempt that is over": (
        *TAKEN,
        reap(TWO, held(ONE), 4, 5, waits(1)),
        under("submit", ONE, 1, 6, 7, asks()),
    ),
    "submitted by another": (*TAKEN, under("submit", TWO, 1, 4, 5, asks())),
    "an accepted claim is gone": (*TAKEN, read(4, 5, waits())),
    "an accepted answer is taken back later": (*ASKED, read(6, 7, asks()), read(8, 9, held(ONE))),
    "a revision is given twice": (
        *ASKED,
        decide("send_back", R1, 6, 7, waits(1, 1)),
        claim(ONE, 8, 9, held(ONE, 2, 1)),
        under("submit", ONE, 2, 10, 11, asks(1, 2)),
    ),
    "a withdrawn draft is approved": (
        *ASKED,
        decide("withdraw", R1, 6, 7, waits(1, 1)),
        decide("approve", R1, 8, 9, at("Approved")),
    ),
    "approved and rejected": (
        *ASKED,
        decide("approve", R1, 6, 8, at("Approved")),
        decide("reject", R1, 7, 9, at("Rejected")),
    ),
    "approved without being asked": (*TAKEN, decide("approve", R1, 4, 5, at("Approved"))),
    "an approval is of a revision that was replaced": (
        *ASKED,
        decide("edit", R1, 6, 7, asks(2)),
        decide("approve", R1, 8, 9, at("Approved")),
    ),
    "a renewed lease is reaped": (
        *TAKEN,
        under("renew", ONE, 1, 4, 5, held(ONE, until="t2"), "t2"),
        reap(TWO, held(ONE), 6, 7, waits(1)),
    ),
    "an agent reaps itself": (*TAKEN, reap(ONE, held(ONE), 4, 5, waits(1))),
    "refused although nobody else held it": (*TAKEN, under("submit", ONE, 1, 4, 5, No(owner=TWO))),
    "refused although it could be done": (*TAKEN, under("submit", ONE, 1, 4, 5, No())),
    "done, and then it waits": (*TAKEN, under("close", ONE, 1, 4, 5, at("Done", 0)), read(6, 7, waits(1))),
    "closed although it was put up once": (
        *ASKED,
        decide("send_back", R1, 6, 7, waits(1, 1)),
        claim(ONE, 8, 9, held(ONE, 2, 1)),
        under("close", ONE, 2, 10, 11, at("Done", 1, 2)),
    ),
    "a lost claim took effect before it began": (BORN, read(1, 2, held(ONE)), claim(ONE, 3, None, LOST)),
    "one lost claim took effect twice": (
        BORN,
        claim(ONE, 2, None, LOST),
        under("release", ONE, 1, 3, 4, waits(1)),
        read(5, 6, waits(1)),
        read(7, 8, held(ONE, 2)),
    ),
    "two reads see the two ends of one claim in the wrong order": (
        BORN,
        claim(ONE, 2, 9, held(ONE)),
        read(3, 4, held(ONE)),
        read(5, 6, waits()),
    ),
    "finished before it was approved": (
        *ASKED,
        decide("finish", ("Approved", 1), 6, 7, at("Done")),
        decide("approve", R1, 8, 9, at("Approved")),
    ),
}
