"""Steps that a model proposes for a note without a list: held to the closed list, and the owner's yes is the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloud_agent.plans.objectives import NoneListed
from cloud_agent.plans.steps import Kind, Step, step_of
from drafting import DrafterRefused
from drafting.posts import Writer
from vault_protocol import plain


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
    return Proposal((_question(proposed.steps, proposed.by), *read[1:]), plain.one_line(proposed.by, 80))


def _read(lines: Sequence[str]) -> list[Step]:
    """Numbered as they will be, from 2. Raises ValueError for one that no plan can have."""
    found = [Step(Kind.ASK, "go on?")]
    for line in lines:
        step = step_of(line.strip(), found)
        if step.refused:
            raise ValueError(f"step {len(found) + 1}: {step.refused}")
        found.append(step)
    return found


def _question(lines: Sequence[str], by: str) -> Step:
    listed = "; ".join(f"{number}. {line}" for number, line in enumerate(lines, 2))
    how = "the remark `yes` lets them begin, a rejection drops them"
    return Step(Kind.ASK, plain.one_line(f"{by} proposes these steps; {how}: {listed}", 1_000))
