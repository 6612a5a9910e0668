"""A plan and deaths: at every named step of the loop, and by SIGKILL of a real agent, each step happens once."""

import signal
from pathlib import Path

import pytest
from services.cloud_agent.tests.plans_world import carried_out, owner_writes, steps_drafted, the_plan
from services.cloud_agent.tests.test_plans import POST, READ, REPLY, world_with_mail
from services.cloud_agent.tests.test_worker_processes import SECONDS, Cloud, cloud
from services.cloud_agent.tests.world import World

from cloud_agent.plans import plan as plans
from cloud_agent.plans.loop import STEPS
from cloud_agent.plans.plan import At
from demo.processes import eventually
from vault_protocol.task import Stage

__all__ = ["cloud"]

KILLED_AT_STEP = """
import os, signal, sys
from pathlib import Path
import cloud_agent.__main__ as agent
from cloud_agent import settings

left = int(sys.argv[3])

def step(name):
    global left
    left -= name == sys.argv[2]
    if name == sys.argv[2] and left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

given = settings.read(Path(sys.argv[1]))
agent.run(given, agent.drafter_of(given), step=step)
"""
"""An agent that dies when it comes to a step of this name for the n-th time."""


class Died(BaseException):
    """The agent is gone at this step."""


def dies_at(world: World, step: str, nth: int, seen: list[str]) -> bool:
    """Work until there is nothing to do, or the agent dies at the n-th such step of all that were `seen`."""

    def die(name: str) -> None:
        seen.append(name)
        if name == step and seen.count(step) == nth:
            raise Died(step)

    world.step = die  # type: ignore[method-assign]
    try:
        world.works()
    except Died:
        return True
    finally:
        world.step = lambda name: None  # type: ignore[method-assign]
    return False


@pytest.mark.parametrize("step", [*STEPS, "drafted", "submitted"])
def test_a_death_at_any_named_step_repeats_no_iteration_and_no_draft(tmp_path: Path, step: str) -> None:
    nth = 1
    while True:
        (folder := tmp_path / str(nth)).mkdir()
        world = world_with_mail(folder)
        owner_writes(world, "close", READ, REPLY, "wait", POST)
        seen: list[str] = []
        died = dies_at(world, step, nth, seen)
        world.start()
        world.works()
        carried_out(world, world.only(Stage.PENDING_APPROVAL))
        died = dies_at(world, step, nth, seen) or died
        world.start()
        world.works()
        carried_out(world, world.only(Stage.PENDING_APPROVAL))
        world.works()
        task, plan = the_plan(world)
        assert (task.stage, plan.iterations) == (Stage.DONE, 4)
        assert [line.iteration for line in plan.course if line.iteration] == [1, 2, 3, 4]
        assert [(one.stage, one.revision) for one in steps_drafted(world)] == [(Stage.DONE, 1)] * 2
        if not died:
            break
        nth += 1
    assert nth > 2


@pytest.mark.prove
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_named_step_the_agent_takes_the_plan_up_where_it_was(cloud: Cloud, step: str) -> None:
    note = f"---\ntype: plan\nstatus: ready\nobjective: Tell it\n---\n- {POST}\n- wait\n- ask: Done?\n".encode()
    cloud.local.refresh()
    cloud.local.write("owner_edit", "plan", {"Objectives/tell.md": note})
    with cloud.runs("-c", KILLED_AT_STEP, str(cloud.config), step, "1") as process:
        assert process.wait(SECONDS) == -signal.SIGKILL
    with cloud.runs():
        (post,) = cloud.drafts(1)
        waiting = eventually(
            lambda: next((t for t in cloud.tasks(Stage.NEEDS_ACTION) if t.note.front.words("waiting_for")), None),
            "the plan waits", seconds=SECONDS,
        )  # fmt: skip
    assert waiting is not None
    assert waiting.note.front.words("waiting_for") == f"approval of {post.id}"
    where = plans.path_of(waiting.id)
    plan = plans.read(cloud.local.journal.read(where) or b"", where)
    assert ([one.at for one in plan.steps], plan.iterations) == ([At.DRAFTED, At.OPEN, At.OPEN], 1)
    assert set(cloud.local.journal.where) == {waiting.id, post.id}
