"""Steps that a model proposes for a note without a list: held to the closed list, and the owner's yes is the first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cloud_agent.plans.objectives import NoneListed
from cloud_agent.plans.plan import Plan
from cloud_agent.plans.steps import Kind, Step, step_of
from drafting import DrafterRefused
from drafting.posts import Writer
from vault_protocol import plain
from vault_protocol.note import Note

_SHOWN = re.compile(r"\n## Proposed steps\n\n(`{3,})text\n.*\n\1\n", re.DOTALL)


@dataclass(frozen=True)
class Proposal:
    """`steps` begin with the question to the owner."""

    steps: tuple[Step, ...]
    by: str


def steps(writer: Writer | None, wish: NoneListed, handbook: str) -> Proposal:
    """Raises the wish itself when nobody proposes any, and DrafterUnavailable."""
    if writer is None or not wish.text.strip():
        raise wish
    text = plain.visible(f"{wish.objective}\n\n{wish.text}")
    try:
        proposed = writer.steps(text, handbook=handbook, fits=_read)
    except DrafterRefused:
        raise wish from None
    if not proposed.steps:
        raise wish
    read = _read(proposed.steps)
    by = plain.one_line(proposed.by, 80)
    return Proposal((_question(by), *read[1:]), by)


def shown(note: Note, plan: Plan | None) -> Note:
    """The note with every step that the owner is asked to agree to, whole, at its end; without them when they are asked
    something else."""
    body = note.body
    if (at := body.rfind("\n## Proposed steps\n")) >= 0 and _SHOWN.fullmatch(body, at):
        body = body[:at]
    if plan is not None and plan.asking and plan.steps[plan.asking - 1].agrees:
        listed = "".join(f"{at}. {one.line}\n" for at, one in enumerate(plan.steps, 1) if not one.agrees)
        body = f"{body.rstrip()}\n\n## Proposed steps\n\n{plain.fenced(plain.visible(listed))}"
    return note if body == note.body else note.with_body(body)


def _read(lines: Sequence[str]) -> list[Step]:
    """Numbered as they will be, from 2. Raises ValueError for one that no plan can have."""
    found = [Step(Kind.ASK, "go on?")]
    for line in lines:
        step = step_of(line.strip(), found)
        if step.refused:
            raise ValueError(f"step {len(found) + 1}: {step.refused}")
        found.append(step)
    return found


def _question(by: str) -> Step:
    how = "only the remark `yes` lets them begin, `stop` ends the plan"
    return Step(Kind.ASK, plain.one_line(f"{by} proposes the steps below: {how}"), agrees=True)
