"""Local killed between the owner's approval and Done: at most one mail, and nobody is left in doubt unasked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.processes import eventually
from demo.world import world
from tests.e2e.conftest import Gate
from vault_protocol.task import Stage, Task

DYING = Path(__file__).with_name("dying_local.py")


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """Cloud at work, Local not running."""
    folder = tmp_path_factory.mktemp("kills")
    with world(folder, resident=True) as made:
        made.set_up(undo_seconds=0)
        made.start_cloud()
        yield Gate(made, made.tail())


def approved_then_killed_at(gate: Gate, step: str) -> tuple[str, Task]:
    """Approve by command, then run a service that is killed at this step."""
    topic = gate.ask()
    task = gate.at(topic, Stage.PENDING_APPROVAL)
    gate.world.with_passphrase("approve", task.id, "--yes")
    argv = [sys.executable, str(DYING), step, str(gate.world.local_home)]
    with (gate.world.folder / "dying.log").open("ab") as log:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=60, check=False)
    assert done.returncode == -9, f"it was never at {step}"
    return topic, task


def restarted(gate: Gate) -> None:
    gate.world.start_local()


def stopped(gate: Gate) -> None:
    assert gate.world.local is not None
    gate.world.kill(gate.world.local)


@pytest.mark.parametrize("step", ["outcome", "copied", "answered", "receipt"])
def test_a_kill_after_the_outcome_is_written_ends_in_done_with_exactly_one_mail(offline: Gate, step: str) -> None:
    topic, _ = approved_then_killed_at(offline, step)
    restarted(offline)
    try:
        offline.at(topic, Stage.DONE)
        assert len(offline.sent_to(topic)) == 1
    finally:
        stopped(offline)


@pytest.mark.parametrize(("step", "sent"), [("started", 0), ("performed", 1)])
def test_a_kill_around_the_acceptance_is_put_to_the_owner_and_nothing_is_repeated(
    offline: Gate, step: str, sent: int
) -> None:
    topic, task = approved_then_killed_at(offline, step)
    restarted(offline)
    try:
        eventually(lambda: task.id in unsure(offline), "the owner is asked", seconds=40)
        assert len(offline.sent_to(topic)) == sent
        offline.at(topic, Stage.APPROVED)
    finally:
        stopped(offline)
    word = "--sent" if sent else "--not-sent"
    offline.world.countersign("resolve", task.id, word)
    restarted(offline)
    try:
        offline.at(topic, Stage.DONE if sent else Stage.PENDING_APPROVAL)
        assert len(offline.sent_to(topic)) == sent
    finally:
        stopped(offline)


def unsure(gate: Gate) -> list[str]:
    """The tasks whose effects `countersign status` says nobody knows the outcome of."""
    return [str(effect["task"]) for effect in json.loads(gate.world.countersign("status", "--json"))["unsure"]]
