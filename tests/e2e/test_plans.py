"""A plan through both agents, each a process of its own: written in the owner's folder, each answer sent once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vault_protocol.task import Stage, Task

if TYPE_CHECKING:
    from tests.e2e.conftest import Gate


def found(gate: Gate, key: str, value: str | int, *stages: Stage) -> Task:
    """The task whose front matter has this, once it is in one of these stages."""

    def look() -> Task | None:
        gate.tail.new()
        fitting = [task for task in gate.tail.tasks() if task.note.front.get(key) == value]
        return next((task for task in fitting if task.stage in stages), None)

    gate.until(look, f"a task with {key} {value} in {', '.join(stages)}")
    task = look()
    assert task is not None
    return task


@pytest.mark.prove
def test_a_plan_of_three_steps_and_two_approvals_sends_each_answer_once_and_ends(gate: Gate) -> None:
    first, second = gate.ask(), gate.ask()
    mails = [gate.at(topic, Stage.PENDING_APPROVAL) for topic in (first, second)]
    steps = f"- reply: {mails[0].id}: Friday is fine.\n- wait: step 1\n- reply: {mails[1].id}: Monday is fine.\n"
    note = gate.world.vault_folder / "Objectives" / "two-answers.md"
    note.parent.mkdir(exist_ok=True)
    note.write_text(f"---\ntype: plan\nstatus: ready\nobjective: Answer both\n---\n{steps}", encoding="utf-8")
    plan = found(gate, "plan_from", "Objectives/two-answers.md", *Stage)
    for step in (1, 3):
        draft = found(gate, "step", step, Stage.PENDING_APPROVAL)
        assert draft.note.front.words("plan") == plan.id
        gate.tail.new()
        assert [task.note.front.get("step") for task in gate.tail.tasks() if task.note.front.words("plan")] == [
            *([1] if step == 3 else []), step
        ]  # fmt: skip
        gate.world.with_passphrase("approve", draft.id, "--yes")
        found(gate, "step", step, Stage.DONE)
    ended = found(gate, "plan_from", "Objectives/two-answers.md", Stage.DONE)
    assert ended.id == plan.id
    assert [len(gate.sent_to(topic)) for topic in (first, second)] == [1, 1]
    told = (gate.tail.read(f"Plans/files/plan-{plan.id}.md") or b"").decode()
    assert told.count("came   approved and carried out") == 2
    assert "status: done" in told
