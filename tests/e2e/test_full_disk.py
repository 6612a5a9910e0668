"""No room on a disk: both agents say so and wait, nothing is lost or half done, and once there is room they go on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.processes import eventually
from demo.world import world
from tests.e2e import full
from tests.e2e.conftest import Gate
from vault_protocol import remote
from vault_protocol.task import Stage


class Heard:
    """What a process says, by a pipe: a file would be as full as its other files."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process, self._said = process, list[str]()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                self._said.append(line.decode("utf-8", "replace"))

    def __contains__(self, words: str) -> bool:
        return any(words in line for line in self._said)


@pytest.fixture
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """Set up, nothing runs."""
    folder = tmp_path_factory.mktemp("full")
    with world(folder) as made:
        made.set_up(undo_seconds=0)
        yield Gate(made, made.tail())


def started(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", module, "run", *arguments]
    return subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )


def test_while_no_file_can_grow_both_agents_say_so_and_wait_and_then_go_on_by_themselves(offline: Gate) -> None:
    made = offline.world
    made.cloud = started("cloud_agent", "--config", str(made.cloud_config))
    made.local = started("local_agent", "--home", str(made.local_home))
    by_cloud, by_local, agents = Heard(made.cloud), Heard(made.local), (made.cloud, made.local)
    first = offline.ask()
    task = offline.at(first, Stage.PENDING_APPROVAL)
    offline.in_folder(task)

    for agent in agents:
        full.let_files_grow(agent.pid, False)
    made.with_passphrase("approve", task.id, "--yes")
    second = offline.ask()
    eventually(lambda: "hub.trouble" in by_cloud and "not_taken" in by_cloud, "Cloud waits and says so", seconds=40)
    eventually(lambda: "may not grow" in by_local, "Local says what is wrong", seconds=40)
    assert "may not grow" in disk_of(offline)
    assert offline.sent_to(first) == []
    offline.at(first, Stage.APPROVED)
    assert offline.task(second) is None

    for agent in agents:
        full.let_files_grow(agent.pid, True)
    offline.at(first, Stage.DONE)
    later = offline.at(second, Stage.PENDING_APPROVAL)
    made.with_passphrase("approve", later.id, "--yes")
    offline.at(second, Stage.DONE)
    assert [len(offline.sent_to(topic)) for topic in (first, second)] == [1, 1]
    eventually(lambda: disk_of(offline) == "ok", "Local says that all is well")
    assert [agent.poll() for agent in agents] == [None, None], "one of them ended"
    eventually(lambda: not remote.fsck(made.hub), "the hub is whole")
    assert half_written(made.folder) == []


def disk_of(gate: Gate) -> str:
    return str(json.loads(gate.world.countersign("status", "--json"))["disk"])


def half_written(folder: Path) -> list[str]:
    """What a program that found no room may leave, and ours do not."""
    return [path.name for path in folder.rglob("*") if path.name.startswith((".countersign-", "tmp_obj_", "tmp_pack_"))]
