"""What an agent makes of the tasks that a hub names for it: an order to try, and nothing that it believes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, LOCAL, MAIL, OTHER, World, task_id

from vault_protocol import notes
from vault_protocol.errors import HubUnreachable
from vault_protocol.hub import Reserved
from vault_protocol.reserving import MOST_CLAIMS, MUTE
from vault_protocol.task import Domain, Stage, Task
from vault_protocol.testing import MemoryHub
from vault_protocol.vault import Vault

SECONDS = 5.0


class Naming(MemoryHub):
    """Names what it is told to, in this order, whatever it is asked for."""

    names: Sequence[str] = ()
    asked: list[int]
    broken = False

    def reserve(self, domains: Iterable[Domain], count: int) -> Reserved:
        self.asked.append(count)
        if self.broken:
            raise HubUnreachable("it does not know the question")
        found = tuple(self.names)[:count]
        return Reserved(self.refresh(), found, SECONDS if found else 0.0, set_aside=True)


def path(number: int, **changes: object) -> str:
    return notes.write(made.task(number, **changes))[0]


@pytest.fixture
def hub(world: World) -> Naming:
    """Forty mails wait, and another agent is at work."""
    world.hub = hub = Naming(world.store)
    hub.asked = []
    local = world.vault(LOCAL)
    tasks = [made.task(number) for number in range(40)]
    local.write("add", "all", dict(map(notes.write, tasks)))
    other = world.vault(OTHER)
    other.refresh()
    assert other.claim(MAIL, 1)
    hub.asked.clear()
    return hub


@pytest.fixture
def cloud(world: World, hub: Naming) -> Vault:
    """It has seen the other one."""
    vault = world.vault(CLOUD)
    vault.refresh()
    return vault


def ids(tasks: Iterable[Task]) -> list[str]:
    return [task.id for task in tasks]


def test_what_is_named_is_claimed_in_this_order(hub: Naming, cloud: Vault) -> None:
    hub.names = [path(30), path(20), path(25)]

    assert ids(cloud.claim(MAIL, 3)) == [task_id(30), task_id(20), task_id(25)]


def test_nothing_is_claimed_but_what_waits_in_the_domains_and_is_fit(hub: Naming, cloud: Vault, world: World) -> None:
    social = made.task(50, domain=Domain.SOCIAL)
    held = next(iter(world.vault(OTHER).tasks(Stage.IN_PROGRESS)), None)
    world.vault(LOCAL).write("add", "one", dict([notes.write(social)]))
    hub.names = [
        notes.write(social)[0], path(0), path(77), "Needs_Action/../../etc/passwd", "", "\0", path(30), path(31),
    ]  # fmt: skip
    assert held is None or held.id == task_id(0)

    claimed = cloud.claim(MAIL, 8, fit=lambda task: task.id != task_id(31))

    assert ids(claimed) == [task_id(30)]


def test_who_is_named_nothing_of_use_picks_for_itself(hub: Naming, cloud: Vault) -> None:
    hub.names = [path(0), path(77)]
    assert len(cloud.claim(MAIL, 2)) == 2
    hub.names = []
    assert len(cloud.claim(MAIL, 2)) == 2
    hub.broken = True
    assert len(cloud.claim(MAIL, 2)) == 2


def test_a_hub_that_does_not_know_the_question_is_left_alone_for_a_while(
    hub: Naming, cloud: Vault, world: World
) -> None:
    hub.broken = True
    for _ in range(3):
        cloud.claim(MAIL, 1)
    assert hub.asked == [1]

    world.clock.tick(timedelta(seconds=MUTE))
    cloud.claim(MAIL, 1)
    assert hub.asked == [1, 1]


def test_a_lone_agent_and_one_that_takes_all_there_is_ask_for_nothing(world: World) -> None:
    world.hub = hub = Naming(world.store)
    hub.asked = []
    local = world.vault(LOCAL)
    local.write("add", "all", dict(notes.write(made.task(number)) for number in range(6)))
    alone = world.vault(CLOUD)
    alone.refresh()
    assert len(alone.claim(MAIL, 2)) == 2
    other = world.vault(OTHER)
    other.refresh()
    assert len(other.claim(MAIL, 5)) == 4
    assert hub.asked == []


def test_who_claims_all_the_time_asks_ever_more_seldom_and_who_rests_asks_for_one(
    hub: Naming, cloud: Vault, world: World
) -> None:
    hub.names = [path(number) for number in range(1, 40)]
    for _ in range(1 + 2 + 4 + 8 + 8):
        hub.names = [name for name in hub.names if cloud.journal.read(name) is not None]
        assert len(cloud.claim(MAIL, 1)) == 1
    assert hub.asked == [1, 2, 4, MOST_CLAIMS, MOST_CLAIMS]

    world.clock.tick(timedelta(seconds=SECONDS))
    hub.names = [name for name in hub.names if cloud.journal.read(name) is not None]
    cloud.claim(MAIL, 1)
    assert hub.asked[5:] == [1]


def test_what_was_set_aside_too_long_ago_is_not_claimed_from_memory(hub: Naming, cloud: Vault, world: World) -> None:
    hub.names = [path(number) for number in range(1, 10)]
    for _ in range(2):
        cloud.claim(MAIL, 1)
        hub.names = hub.names[1:]
    assert hub.asked == [1, 2]
    world.clock.tick(timedelta(seconds=SECONDS))
    hub.names = [path(33)]

    assert ids(cloud.claim(MAIL, 1)) == [task_id(33)]
