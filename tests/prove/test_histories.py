"""What agents of a running hub asked for and were told, while it is killed and answers are lost, is linearizable."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from libs.vault_protocol.tests import claimer
from services.vault_hub.tests.cutting import Cutting, cutting
from services.vault_hub.tests.program import Program, program
from services.vault_hub.tests.test_kills import STEPS

from tests.prove import lying_hub, telling
from tests.sim import reading
from tests.sim.breach import Breach
from tests.sim.reading import Standing
from tests.sim.recording import Recording
from vault_protocol import remote
from vault_protocol.hub import CommitId
from vault_protocol.store import GitStore

CUT = 0.3
"""How many of the connections are cut in the middle of an answer."""


@dataclass
class Course:
    """How a run went."""

    kills: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Verb and kind of answer → how often."""

    @property
    def operations(self) -> int:
        return sum(self.told.values())


def ran(folder: Path, pool: Executor, agents: int, acts: int, kills: int, seed: int = 1, bug: str = "") -> Course:
    """The agents' histories, judged. Raises Breach."""
    names = [telling.OWNER, *claimer.AGENTS][:agents]
    chance, course = Random(seed), Course()
    with hub_of(folder, names, bug) as hub, cutting(0) as line:
        begin(hub, line, bug)
        url = f"http://127.0.0.1:{line.port}"
        working = [pool.submit(telling.run, folder, url, name, seed, acts, trusting=bool(bug)) for name in names]
        while course.kills < kills and not done(working, chance.uniform(0.2, 1.0)):
            step, passed = chance.choice([*STEPS, ""]), chance.randint(2, 12)
            line.answers[:] = [chance.randint(1, 4_000) for _ in range(2)] if chance.random() < CUT else []
            begin(hub, line, bug, step, passed)
            until = time.monotonic() + chance.uniform(0.5, 2.0)
            while time.monotonic() < until and hub.ended is None and not done(working, 0.02):
                pass
            course.steps[step if hub.ended is not None else "any"] += 1
            course.kills += 1
        begin(hub, line, bug)
        told = merged([one.result(timeout=300) for one in working], course)
        if bug and kills:
            begin(hub, line, bug)  # what it only said that it has is not there
        told.judge(standing(hub))
        assert hub.stop() == 0
        assert remote.fsck(hub.repository) == ()
    return course


@contextmanager
def hub_of(folder: Path, names: list[str], bug: str) -> Iterator[Program]:
    agents = [claimer.AGENTS.get(name, claimer.ADDER) for name in names]
    with program(folder / "hub", *agents) as hub:
        hub.module = "tests.prove.lying_hub" if bug else "services.vault_hub.tests.stepping"
        for name, token in hub.tokens.items():
            (folder / f"{name}.token").write_text(token, encoding="ascii")
        yield hub


def begin(hub: Program, line: Cutting, bug: str, step: str = "", passed: int = 1) -> None:
    """Kill it, if it lives, and start it: to die when it passes this step for the n-th time."""
    hub.kill()
    hub.start(*([bug] if bug else []), step, str(passed))
    line.target = int(hub.url.rpartition(":")[2])


def done(working: list[Future[Recording]], seconds: float) -> bool:
    return not wait(working, seconds).not_done


def merged(recordings: list[Recording], course: Course) -> Recording:
    """All histories as one."""
    told = telling.Told()
    for recording in recordings:
        for task, operations in recording.tasks.items():
            told.tasks[task] += operations
            course.told.update((one.verb, type(one.answer).__name__) for one in operations)
    return told


def standing(hub: Program) -> dict[str, Standing]:
    """Where each task stands at the end, read from the hub's own repository."""
    store, head = GitStore(hub.repository), CommitId(str(hub.get("/readyz")[1]["head"]))
    found = [reading.standing(path, store.blob(blob)) for path, blob in store.paths(head) if reading.place(path)]
    return {at.id: at for at in found}


def test_what_agents_of_a_running_hub_were_told_is_linearizable(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        course = ran(tmp_path, pool, agents=4, acts=30, kills=1)
    assert course.kills
    assert course.operations > 100


@pytest.mark.prove
def test_what_eight_agents_were_told_while_the_hub_was_killed_is_linearizable(tmp_path: Path) -> None:
    with ProcessPoolExecutor(8, multiprocessing.get_context("spawn")) as pool:
        course = ran(tmp_path, pool, agents=8, acts=60, kills=6)
    print(f"{course.operations} operations, {course.kills} kills {dict(course.steps)}, {dict(course.told)}")
    unanswered = sum(times for (_, kind), times in course.told.items() if kind == "NoneType")
    assert course.kills > 2
    assert unanswered, "no answer was lost, so nothing is proved of lost ones"


@pytest.mark.prove
@pytest.mark.parametrize("bug", lying_hub.BUGS)
def test_a_running_hub_that_lies_is_caught(bug: str, tmp_path: Path) -> None:
    """Which calls meet is the machine's doing, and a lie may find nobody who is harmed: within five runs it does."""
    with ThreadPoolExecutor(4) as pool:
        assert any(is_caught(tmp_path / str(seed), pool, seed, bug) for seed in range(1, 6))


def is_caught(folder: Path, pool: Executor, seed: int, bug: str) -> bool:
    try:
        ran(folder, pool, agents=3, acts=30, kills=lying_hub.BUGS[bug][1], seed=seed, bug=bug)
    except Breach as breach:
        assert breach.invariant == "I12"  # noqa: PT017 - one run of several
        return True
    return False
