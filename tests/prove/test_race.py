"""Eight agents that claim the same tasks on a real hub: every task owned once, one line of history, evenly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from libs.vault_protocol.tests import claimer, made
from services.vault_hub.tests.program import program

from tests.prove.conftest import ROOT
from vault_protocol import notes, remote
from vault_protocol.hub_client import HubClient
from vault_protocol.task import Domain, Stage

NAMES = tuple(claimer.AGENTS)


def shifts(processes: int) -> list[tuple[str, ...]]:
    return [NAMES[first::processes] for first in range(processes)]


@pytest.mark.parametrize(
    ("tasks", "processes"),
    [pytest.param(2_000, 2, marks=pytest.mark.soak), pytest.param(20_000, 8, marks=pytest.mark.soak)],
)
def test_eight_agents_own_every_task_exactly_once(tasks: int, processes: int, tmp_path: Path) -> None:
    hub = tmp_path / "hub.git"
    remote.create(hub)
    shares = race(str(hub), hub, tasks, processes, tmp_path)
    assert fairness(shares) > 0.5, "somebody was starved"


@pytest.mark.parametrize(
    ("tasks", "most", "vault"),
    [
        pytest.param(1_000, 1, 0, marks=pytest.mark.prove),
        pytest.param(10_000, 10, 0, marks=pytest.mark.prove),
        *(pytest.param(10_000, most, vault, marks=pytest.mark.soak) for most in (1, 10) for vault in range(10)),
    ],
)
def test_eight_agents_of_a_resident_hub_own_every_task_exactly_once(
    tasks: int, most: int, vault: int, tmp_path: Path
) -> None:
    """`most`: how many a claim asks for.

    A soak makes 100,000 claims of each kind, in ten vaults: were they all to wait in one, each agent would hold 3 GB.
    """
    agents = (*claimer.AGENTS.values(), claimer.ADDER)
    with program(tmp_path / "hub", *agents, settings="requests_per_second = 100000\n") as hub:
        for name, token in hub.tokens.items():
            (tmp_path / f"{name}.token").write_text(token, encoding="ascii")
        hub.start()
        shares = race(hub.url, hub.repository, tasks, 8, tmp_path, most=most)
        assert hub.stop() == 0
    print(f"vault {vault}: {tasks} claims by 8 agents, {most} at once, none owned twice; Jain {fairness(shares):.3f}")
    assert fairness(shares) >= 0.95, "somebody was starved"


def race(address: str, hub: Path, tasks: int, processes: int, folder: Path, *, most: int = 1) -> list[int]:
    """How many each of them owns, once it is sure that nobody owns what another does."""
    owner = claimer.vault(address, folder, "local")
    domains = tuple(Domain)
    every = [made.task(number, domain=domains[number % len(domains)]) for number in range(tasks)]
    for first in range(0, tasks, 200):
        owner.write("add", "all", dict(map(notes.write, every[first : first + 200])))
    assert owner.journal.head is not None
    before = len(owner.journal.store.history(None, owner.journal.head))

    running = [
        subprocess.Popen(
            [sys.executable, "-m", claimer.__name__, address, str(folder), str(most), *names],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )
        for names in shifts(processes)
    ]  # fmt: skip
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=tasks)[0] for process in running]

    assert [process.returncode for process in running] == [0] * processes
    believed = {name: ids for answer in said for name, ids in json.loads(answer).items()}
    claimed = [id_ for ids in believed.values() for id_ in ids]
    assert len(believed) == 8
    assert sorted(claimed) == sorted(task.id for task in every), "a task was owned twice, or never"
    head = owner.refresh()
    assert head is not None
    owned = {task.id: task.lease.owner for task in owner.tasks(Stage.IN_PROGRESS) if task.lease}
    assert owned == {task: name for name, ids in believed.items() for task in ids}
    line = owner.journal.store.history(None, head)
    assert before + tasks // most <= len(line) <= before + tasks
    assert all(len(commit.parents) <= 1 for commit in line)
    assert remote.fsck(hub) == ()
    if isinstance(owner.journal.hub, HubClient):
        owner.journal.hub.close()
    return [len(ids) for ids in believed.values()]


def fairness(shares: list[int]) -> float:
    """Jain's index: 1 when all have the same, 1/n when one has everything."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))
