"""Local killed between approval and Done, and again while it recovers: one mail, or the owner is asked; never two."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from random import Random

import pytest

from demo.processes import eventually
from tests.prove.conftest import Doomed, both
from vault_protocol.task import Stage, Task

pytestmark = pytest.mark.xdist_group("local kills")

IN_DOUBT = ("started", "performed")
"""Nothing on disk tells whether the mail went out, and a submission server cannot be asked."""
KNOWN = ("outcome", "copied", "answered", "before finish", "after finish", "receipt")
OVER = ("after finish", "receipt")
"""The task is in Done on the hub; what is left is the dashboard."""
TO_DASHBOARD = ("before dashboard", "after dashboard")

AGAIN = [
    *product(("outcome", "copied", "answered", "before finish"), ("copied", "answered", "before finish", "receipt")),
    *product(KNOWN, TO_DASHBOARD),
    *product(IN_DOUBT, ("answered", "before record", "after record")),
]
SAMPLE = Random(6).sample(AGAIN, 10)


@pytest.fixture(scope="module")
def office(doomed: Doomed) -> Iterator[Doomed]:
    """Cloud at work, Local not running."""
    doomed.world.start_cloud()
    yield doomed
    assert doomed.world.cloud is not None
    doomed.world.kill(doomed.world.cloud)


def approved(office: Doomed) -> tuple[str, Task]:
    """Approved by command; nothing was sent yet."""
    topic = office.ask()
    task = office.at(topic, Stage.PENDING_APPROVAL)
    office.world.with_passphrase("approve", task.id, "--yes")
    return topic, task


def ends_well(office: Doomed, topic: str, task: Task, first: str) -> None:
    """The service, left alone: Done with one mail, or the owner is asked, and their word ends it."""
    made = office.world
    made.start_local()
    assert made.local is not None
    try:
        if first not in IN_DOUBT:
            office.at(topic, Stage.DONE)
            assert len(office.sent_to(topic)) == 1
            return
        eventually(lambda: task.id in unsure(office), "the owner is asked", seconds=60)
        office.at(topic, Stage.APPROVED)
    finally:
        made.kill(made.local)
    sent = len(office.sent_to(topic))
    assert sent == (first == "performed")
    made.countersign("resolve", task.id, "--sent" if sent else "--not-sent")
    made.start_local()
    try:
        office.at(topic, Stage.DONE if sent else Stage.PENDING_APPROVAL)
        assert len(office.sent_to(topic)) == sent
    finally:
        made.kill(made.local)


def unsure(office: Doomed) -> list[str]:
    return [str(effect["task"]) for effect in json.loads(office.world.countersign("status", "--json"))["unsure"]]


@pytest.mark.prove
@pytest.mark.parametrize("step", [*IN_DOUBT, *KNOWN, *TO_DASHBOARD])
def test_killed_at_any_step_local_sends_once_or_asks(office: Doomed, step: str) -> None:
    topic, task = approved(office)
    office.dies("dying_local", step, office.world.local_home)
    ends_well(office, topic, task, step)
    office.hub_is_whole()


@pytest.mark.parametrize("steps", both(SAMPLE, [pair for pair in AGAIN if pair not in SAMPLE]), ids=" then ".join)
def test_killed_again_while_it_recovers_local_sends_once_or_asks(office: Doomed, steps: tuple[str, str]) -> None:
    topic, task = approved(office)
    for step in steps:
        office.dies("dying_local", step, office.world.local_home)
    ends_well(office, topic, task, steps[0])
    office.hub_is_whole()
