"""Claims of several at once, and how agents that never talk to each other keep out of each other's way."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.hubs import Resident
from libs.vault_protocol.tests.made import CLOUD, LOCAL, MAIL, OTHER, TRUST, World, task_id

from vault_protocol import moves, notes
from vault_protocol.clock import SystemClock
from vault_protocol.errors import ClaimLost
from vault_protocol.fleet import WINDOW, Fleet, urgency
from vault_protocol.hub import Accepted, CommitId, Published
from vault_protocol.hub_client import HubClient
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Domain, Stage, Task, TaskId
from vault_protocol.testing import MemoryHub
from vault_protocol.vault import Vault


def commits(world: World) -> int:
    return len(world.store.history(None, world.hub.head)) if world.hub.head else 0


def filled(world: World, count: int, **front: str) -> Vault:
    cloud = world.vault(CLOUD)
    for number in range(count):
        task = made.task(number)
        cloud.add(task.evolve(note=task.note.put(**front)))
    return cloud


def test_several_are_claimed_by_one_changeset_the_most_urgent_first(world: World) -> None:
    cloud = filled(world, 5)
    high = made.task(7)
    cloud.add(high.evolve(note=high.note.put(priority="high")))
    before = commits(world)

    held = cloud.claim(MAIL, 3)

    assert [task.id for task in held] == [task_id(7), task_id(0), task_id(1)]
    assert commits(world) == before + 1
    assert {(task.stage, task.lease and task.lease.owner, task.attempt) for task in held} == {
        (Stage.IN_PROGRESS, CLOUD.agent, 1)
    }


def test_fewer_come_back_when_fewer_wait_and_none_when_none_does(world: World) -> None:
    cloud = filled(world, 2)

    assert len(cloud.claim(MAIL, 5)) == 2
    before = commits(world)
    assert cloud.claim(MAIL, 5) == ()
    assert cloud.claim([Domain.SOCIAL], 5) == ()
    assert commits(world) == before


class Interrupted(MemoryHub):
    """Somebody else publishes right before the next publish."""

    first: Vault | None = None

    def publish(self, commit: CommitId, *, onto: CommitId | None, exact: bool = False) -> Published:
        other, self.first = self.first, None
        if other is not None:
            assert other.claim(MAIL, 2)
        return super().publish(commit, onto=onto, exact=exact)


def test_who_loses_the_race_for_some_claims_others_and_owns_no_task_twice(world: World) -> None:
    hub = Interrupted(world.store)
    world.hub = hub
    filled(world, 4)
    mine, theirs = world.vault(CLOUD), world.vault(OTHER)
    hub.first = theirs

    held = mine.claim(MAIL, 2)

    assert {task.id for task in held} == {task_id(2), task_id(3)}
    theirs.refresh()
    assert {task.id for task in theirs.mine()} == {task_id(0), task_id(1)}


class Taking(MemoryHub):
    """Right after a claim went in, somebody puts the tasks back."""

    after: Vault | None = None

    def publish(self, commit: CommitId, *, onto: CommitId | None, exact: bool = False) -> Published:
        answer = super().publish(commit, onto=onto, exact=exact)
        owner, self.after = self.after, None
        if owner is None or not isinstance(answer, Accepted):
            return answer
        owner.refresh()
        for held in tuple(owner.tasks(Stage.IN_PROGRESS)):
            owner._move("reap", held, moves.reap)
        assert self.head is not None
        return Accepted(self.head)


def test_what_is_not_ours_at_the_head_that_came_back_is_not_held(world: World) -> None:
    hub = Taking(world.store)
    world.hub = hub
    cloud = filled(world, 2)
    hub.after = world.vault(LOCAL)

    with pytest.raises(ClaimLost):
        cloud.claim(MAIL, 2)


def test_two_agents_that_see_each_other_at_work_reach_for_different_tasks() -> None:
    waiting = [made.task(number) for number in range(40)]
    ours = {CLOUD.agent: OTHER.agent, OTHER.agent: CLOUD.agent}
    picked: list[Task] = []
    for me, other in ours.items():
        fleet = Fleet(me, 60.0)
        fleet.at_work([me, other], now=0.0)
        picked += fleet.pick(waiting, 5)

    assert max(Counter(task.id for task in picked).values()) == 1


def test_a_lone_agent_takes_strictly_the_most_urgent() -> None:
    waiting = [made.task(number) for number in range(20)]
    fleet = Fleet(CLOUD.agent, 60.0)

    assert list(fleet.pick(waiting, 7)) == waiting[:7]


def test_priority_comes_before_keeping_out_of_the_way() -> None:
    high = made.task(30)
    high = high.evolve(note=high.note.put(priority="high"))
    for me, other in ((CLOUD.agent, OTHER.agent), (OTHER.agent, CLOUD.agent)):
        fleet = Fleet(me, 60.0)
        fleet.at_work([other], now=0.0)
        assert fleet.pick([high, *(made.task(number) for number in range(20))], 1) == [high]


def test_the_tasks_of_an_agent_that_went_away_are_not_passed_over_for_ever() -> None:
    fleet = Fleet(CLOUD.agent, 60.0)
    fleet.at_work([OTHER.agent], now=0.0)
    waiting, taken = [made.task(number) for number in range(8)], []
    for number in range(8, 200):
        (task,) = fleet.pick(sorted(waiting, key=urgency), 1)
        waiting.remove(task)
        taken.append(task.id)
        waiting.append(made.task(number).evolve(note=made.task(0).note.put(received=f"2026-11-24T{number:04}")))

    assert {task_id(number) for number in range(8)} <= set(taken[: 8 + 2 * 2 * 2 * WINDOW])
    fleet.at_work([], now=61.0)
    assert fleet.seen == {}


def claims(resident: Resident, who: Identity, count: int, mine: list[TaskId], start: threading.Barrier) -> None:
    store = GitStore(resident.folder / f"{who.agent}.git")
    hub = HubClient(store, resident.running.url, resident.running.tokens[who.agent])
    vault = Vault(Journal(store, hub, who, SystemClock(), trust=TRUST), lease=timedelta(minutes=5))
    vault.refresh()
    start.wait()
    while held := vault.claim(MAIL, count):
        mine += [task.id for task in held]
    hub.close()


@pytest.mark.parametrize("count", [1, 10])
def test_of_agents_that_race_at_a_resident_hub_none_owns_what_another_owns(resident: Resident, count: int) -> None:
    side = resident.side()
    local = Vault(Journal(side.store, side.hub, LOCAL, SystemClock(), trust=TRUST))
    total = 40 * count
    edits = dict(notes.write(made.task(number)) for number in range(total))
    local.write("add", "all", edits)
    mine: dict[AgentId, list[TaskId]] = {CLOUD.agent: [], OTHER.agent: []}
    start = threading.Barrier(2, timeout=60)
    racing = [
        threading.Thread(target=claims, args=(resident, who, count, mine[who.agent], start)) for who in (CLOUD, OTHER)
    ]
    for one in racing:
        one.start()
    for one in racing:
        one.join(60)

    owned = Counter(task for tasks in mine.values() for task in tasks)
    assert set(owned.values()) == {1}
    assert len(owned) == total
    local.refresh()
    for who in (CLOUD, OTHER):
        held = {task.id for task in local.tasks(Stage.IN_PROGRESS) if task.lease and task.lease.owner == who.agent}
        assert held == set(mine[who.agent])
