"""What comes next in a plan, decided from the plan, the owner's word, and where the tasks of its steps stand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloud_agent.plans.plan import At, Plan
from cloud_agent.plans.steps import Kind
from vault_protocol.task import Stage

YES, SKIP, STOP = "yes", "skip", "stop"
"""The remarks that are more than an answer."""
MOST_FAILURES = 2
"""The failure of one step with this number is the owner's."""

_ENDED = (Stage.DONE, Stage.REJECTED, Stage.QUARANTINE)
_BLOCKED: Mapping[Stage | None, str] = {
    None: "its task is gone", Stage.REJECTED: "you rejected its draft", Stage.QUARANTINE: "its task is in Quarantine",
}  # fmt: skip


class Turn(StrEnum):
    """What the loop does now."""

    TRY = "try"
    WAIT = "wait"
    ASK = "ask"
    END = "end"


@dataclass(frozen=True)
class Next:
    """`step` is tried, or is what the owner is asked about; `why` is for the owner; `tasks` are waited for."""

    turn: Turn
    step: int = 0
    why: str = ""
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stands:
    """Where the task of a step stands: None when it is nowhere. `carried_out`: its effect is confirmed."""

    stage: Stage | None
    carried_out: bool = False


def heard(plan: Plan, revision: int, remark: str, now: datetime) -> Plan:
    """The plan after the owner's answer to revision `revision`; each answer counts once."""
    if revision <= plan.answered:
        return plan
    number = plan.asking
    plan = plan.model_copy(update={"answered": revision, "used": 0, "asking": 0})
    word = remark.strip().rstrip(".! ").lower()
    if word == STOP and not plan.stopped:
        return _stopped(plan, now)
    if not number or plan.stopped:
        return plan
    step, named = plan.steps[number - 1], plan.named(number)
    if step.agrees:
        agreed = step.at is At.ASKED and word == YES
        facts = (f"you said: {remark.strip() or 'nothing'}",)
        plan = plan.with_step(number, at=At.DONE if agreed else At.OPEN, facts=facts)
        then = "the next step" if agreed else "you are asked again"
        return plan.told(now, named, "you agreed" if agreed else "that was no yes", then, counts=False)
    if word == SKIP:
        return plan.with_step(number, at=At.SKIPPED).told(now, "your word", SKIP, f"without {named}", counts=False)
    if step.at is At.ASKED:
        plan = plan.with_step(number, at=At.DONE, facts=(f"you said: {remark.strip() or 'go on'}",))
        return plan.told(now, named, "you answered", "the next step", counts=False)
    again = step.again + (step.at is At.DRAFTED)
    return plan.with_step(number, at=At.OPEN, failures=0, again=again, task="").told(
        now, "your word", "try again", named, counts=False
    )


def _stopped(plan: Plan, now: datetime) -> Plan:
    for number, step in enumerate(plan.steps, 1):
        if step.at in (At.OPEN, At.ASKED):
            plan = plan.with_step(number, at=At.SKIPPED)
    return plan.model_copy(update={"stopped": True}).told(now, "your word", STOP, "no further step", counts=False)


def settled(plan: Plan, stands: Callable[[str], Stands], now: datetime) -> Plan:
    """The plan with the steps done whose tasks have ended well."""
    for number, step in enumerate(plan.steps, 1):
        if step.at is At.DRAFTED and (found := stands(step.task)).stage is Stage.DONE:
            how = "approved and carried out" if found.carried_out else "you ended it without an effect"
            plan = plan.with_step(number, at=At.DONE).told(now, f"task {step.task}", how, "on", counts=False)
    return plan


def next_of(plan: Plan, stands: Callable[[str], Stands], limit: int) -> Next:
    """Blocked tasks first: what the owner refused is never passed over in silence. Of a plan that the owner stopped
    only the drafts are left that they did not decide."""
    if plan.stopped:
        left = (plan.steps[number - 1].task for number in plan.awaited())
        return Next(Turn.END, tasks=tuple(task for task in left if stands(task).stage not in (None, *_ENDED)))
    for at, one in enumerate(plan.steps, 1):
        if one.at is At.DRAFTED and (stage := stands(one.task).stage) in _BLOCKED:
            return Next(Turn.ASK, at, f"{plan.named(at)}: {_BLOCKED[stage]}")
    number = plan.next
    if number is None:
        return _waiting(plan, plan.awaited()) or Next(Turn.END)
    step = plan.steps[number - 1]
    if step.kind is Kind.WAIT and (blocked := _waiting(plan, plan.awaited(number))):
        return blocked
    if step.failures >= MOST_FAILURES:
        why = step.facts[-1] if step.facts else "it failed"
        return Next(Turn.ASK, number, f"{plan.named(number)} failed {step.failures} times: {why}")
    if plan.used >= limit:
        return Next(Turn.ASK, number, f"{limit} iterations are used up before {plan.named(number)}")
    return Next(Turn.TRY, number)


def _waiting(plan: Plan, steps: tuple[int, ...]) -> Next | None:
    tasks = tuple(plan.steps[number - 1].task for number in steps)
    return Next(Turn.WAIT, tasks=tasks) if tasks else None
