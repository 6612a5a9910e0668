"""The claim race, for real: separate processes, real git, one bare repository between them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import git
import pytest
from libs.vault_protocol.tests import claimer, made

from vault_protocol import notes, remote
from vault_protocol.task import Stage
from vault_protocol.vault import Also

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("tasks", [200])
def test_agents_in_several_processes_own_every_task_exactly_once(tasks: int, tmp_path: Path) -> None:
    hub = tmp_path / "hub.git"
    remote.create(hub)
    owner = claimer.vault(str(hub), tmp_path, "local")
    every = [made.task(number) for number in range(tasks)]
    owner.write("add", "all", dict(map(notes.write, every)), Also())
    shifts = [("cloud-1", "cloud-2"), ("cloud-3", "cloud-4")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}

    running = [
        subprocess.Popen(
            [sys.executable, "-m", claimer.__name__, str(hub), str(tmp_path), "1", *names],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for names in shifts
    ]  # fmt: skip
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=120)[0] for process in running]

    assert [process.returncode for process in running] == [0, 0]
    believed = {name: ids for answer in said for name, ids in json.loads(answer).items()}
    owner.refresh()
    owned = {task.id: task.lease.owner for task in owner.tasks(Stage.IN_PROGRESS) if task.lease}
    assert owned == {task: name for name, ids in believed.items() for task in ids}
    assert sorted(id_ for ids in believed.values() for id_ in ids) == sorted(task.id for task in every)
    assert all(believed.values()), "an agent was starved"

    with git.Repo(hub) as repository:
        commits = list(repository.iter_commits("main"))
        assert len(commits) == tasks + 1
        assert [len(commit.parents) for commit in commits] == [1] * tasks + [0]
        assert repository.git.fsck("--full", "--strict", "--no-dangling") == ""
