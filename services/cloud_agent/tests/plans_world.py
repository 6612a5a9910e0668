"""Plans in a world in memory: the owner writes notes, decides drafts, and looks at the plan."""

from datetime import datetime

from services.cloud_agent.tests.world import World

from cloud_agent.plans import plan as plans
from cloud_agent.plans.plan import Plan
from vault_protocol import layout, moves
from vault_protocol.task import Stage, Task


def owner_writes(world: World, name: str, *steps: str, status: str = "ready", folder: str = "Objectives") -> None:
    """A note of a plan, with these items as its list."""
    items = "".join(f"- {step}\n" for step in steps)
    front = f"type: plan\nstatus: {status}\nobjective: Close the project\n"
    world.local.refresh()
    world.local.write("owner_edit", name, {f"{folder}/{name}.md": f"---\n{front}---\nAs we said:\n\n{items}".encode()})


def the_plan(world: World) -> tuple[Task, Plan]:
    """The one plan in the vault, and its task."""
    world.local.refresh()
    (task,) = (task for task in world.local.tasks(*Stage) if task.note.front.words("plan_from"))
    where = plans.path_of(task.id)
    return task, plans.read(world.read(where).encode(), where)


def steps_drafted(world: World) -> list[Task]:
    """The tasks that draft for the plan, wherever they stand, in the order of its steps."""
    world.local.refresh()
    found = [task for task in world.local.tasks(*Stage) if task.note.front.words("plan")]
    return sorted(found, key=lambda task: task.note.front.number("step"))


def carried_out(world: World, task: Task) -> None:
    """The owner approved and its effect is confirmed, as Local publishes it; how it does is for Local's own tests."""
    now: datetime = world.clock.now()
    world.local.refresh()
    approved = moves.approve(world.local.get(task.id), revision=task.revision)
    for move in (lambda _: approved, lambda t: moves.finish(t, result="it went out", now=now)):
        world.local._move("finish", task, move)
    assert layout.place_of(world.local.journal.where[task.id])


def course(world: World) -> list[tuple[int, str, str]]:
    """What the plan tells of each line: iteration, what was tried, what came of it."""
    return [(line.iteration, line.tried, line.came) for line in the_plan(world)[1].course]
