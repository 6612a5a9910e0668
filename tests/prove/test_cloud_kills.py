"""Cloud killed between arrival and Pending_Approval, and again while it recovers: one note and one draft, always."""

from __future__ import annotations

import signal
from itertools import product
from random import Random

import pytest

from tests.prove.conftest import KILLED, Doomed, both
from vault_protocol import layout
from vault_protocol.task import Stage

pytestmark = pytest.mark.xdist_group("cloud kills")

PUBLISHES = tuple(f"{when} {verb}" for verb in ("add", "claim", "submit") for when in ("before", "after"))
STEPS = ("kept", "added", "watched", "claimed", "judged", "drafted", "submitted", *PUBLISHES)

BEFORE_THE_CLAIM = ("kept", "added", "before add", "after add", "watched", "before claim")
FROM_THE_CLAIM_ON = ("after claim", "claimed", "judged", "drafted", "before submit")
ONCE_MORE = ("after claim", "claimed", "judged", "drafted", "before submit", "after submit", "submitted")
AGAIN = [
    *product(("kept", "before add"), ("kept", "before add", "after add", "added", "watched")),
    *product((*BEFORE_THE_CLAIM, *FROM_THE_CLAIM_ON), ONCE_MORE),
]
"""First and second step: what the recovery passes again for certain."""
SAMPLE = Random(5).sample(AGAIN, 12)


def only_one_draft(doomed: Doomed, topic: str) -> None:
    """An agent that is left alone brings it to one draft, and nothing of it is there twice."""
    made, health = doomed.world, doomed.world.cloud_home / "state" / "health.json"
    health.unlink(missing_ok=True)
    made.start_cloud()
    assert made.cloud is not None
    try:
        doomed.until(health.exists, "the agent is back at work")
        doomed.at(topic, Stage.PENDING_APPROVAL)
        made.cloud.send_signal(signal.SIGTERM)
        assert made.cloud.wait(60) == 0
    finally:
        made.kill(made.cloud) if made.cloud.poll() is None else None
    doomed.tail.new()
    (task,) = [task for task in doomed.tail.tasks() if task.note.front.words("subject") == topic]
    assert (task.stage, task.revision) == (Stage.PENDING_APPROVAL, 1)
    store, head = doomed.tail.store, doomed.tail.head
    assert head is not None
    assert [path for path, _ in store.paths(head) if task.id in path and layout.place_of(path)] == [
        layout.path_of(task)
    ]
    told = [commit.message.splitlines()[0] for commit in store.history(None, head)]
    assert told.count(f"add: {task.id}") == 1
    assert told.count(f"submit: {task.id}") == 1
    doomed.hub_is_whole()


@pytest.mark.prove
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_cloud_drafts_exactly_once(doomed: Doomed, step: str) -> None:
    topic = doomed.ask()
    doomed.dies("dying_cloud", step, doomed.world.cloud_config)
    only_one_draft(doomed, topic)


@pytest.mark.parametrize("steps", both(SAMPLE, [pair for pair in AGAIN if pair not in SAMPLE]), ids=" then ".join)
def test_killed_again_while_it_recovers_cloud_drafts_exactly_once(doomed: Doomed, steps: tuple[str, str]) -> None:
    topic = doomed.ask()
    for step in steps:
        doomed.dies("dying_cloud", step, doomed.world.cloud_config)
    only_one_draft(doomed, topic)


HOOKS = ("pre-receive", "update", "reference-transaction", "post-receive")


def die_in(doomed: Doomed, hook: str, publish: int, whom: str) -> None:
    """The n-th push meets SIGKILL inside the hub, where this hook runs: on the receiving git, or on agent and all."""
    path = doomed.world.hub / "hooks" / hook
    path.parent.mkdir(exist_ok=True)
    count, agent = path.with_suffix(".count"), doomed.world.cloud_home / "state" / "agent.pid"
    everybody = f'kill -9 $(cat "{agent}")\n' if whom == "all" else ""
    path.write_text(
        f'#!/bin/sh\necho x >> "{count}"\n[ $(wc -l < "{count}") -ge {publish} ] || exit 0\n'
        f'rm "$0" "{count}"\n{everybody}kill -9 $PPID\n',
        encoding="utf-8",
    )
    path.chmod(0o755)


INSIDE = list(product(HOOKS, (1, 2, 3), ("receiver", "all")))
SAMPLE_INSIDE = [case for n, case in enumerate(INSIDE) if n % 2 == (n // 6) % 2]


@pytest.mark.parametrize(
    "case",
    both(SAMPLE_INSIDE, [case for case in INSIDE if case not in SAMPLE_INSIDE]),
    ids=lambda case: "-".join(map(str, case)),
)
def test_a_push_killed_inside_the_hub_makes_neither_none_nor_two(doomed: Doomed, case: tuple[str, int, str]) -> None:
    hook, publish, whom = case
    topic = doomed.ask()
    die_in(doomed, hook, publish if hook != "reference-transaction" else 2 * publish, whom)
    if whom == "all":
        assert doomed.ends("pushing_cloud", doomed.world.cloud_config) == KILLED
    only_one_draft(doomed, topic)
    assert not (doomed.world.hub / "hooks" / hook).exists(), "the hook never came to kill"
