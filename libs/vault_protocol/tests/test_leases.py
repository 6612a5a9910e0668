"""Claims and leases: who holds a task, for how long, and what becomes of the one who held it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, LOCAL, MAIL, OTHER, World, claimed, draft

from vault_protocol.errors import ClaimLost, HubUnreachable
from vault_protocol.task import Domain
from vault_protocol.vault import LEASE, Vault


def test_the_most_urgent_and_then_the_oldest_is_claimed_first(world: World) -> None:
    cloud = world.vault(CLOUD)
    for number, priority in enumerate(["low", "normal", "high", "normal", "high"]):
        task = made.task(number)
        cloud.add(task.evolve(note=task.note.put(priority=priority)))

    order = [claimed(cloud).id for _ in range(5)]

    assert order == [made.task_id(number) for number in (2, 4, 1, 3, 0)]
    assert cloud.claim_next(MAIL) is None


def test_only_tasks_of_the_asked_domains_are_claimed(world: World) -> None:
    cloud = world.vault(CLOUD)
    cloud.add(made.task(1, domain=Domain.FILES))

    assert cloud.claim_next(MAIL) is None
    assert claimed_any(cloud) == made.task_id(1)


def claimed_any(vault: Vault) -> str | None:
    task = vault.claim_next(Domain)
    return task.id if task else None


def test_the_loser_of_a_claim_gets_another_task_or_none(world: World) -> None:
    cloud = world.vault(CLOUD)
    cloud.add(made.task(1))
    cloud.add(made.task(2))
    late = world.vault(OTHER)

    first = claimed(cloud)
    second = claimed(late)

    assert first.id != second.id
    assert (first.lease and first.lease.owner, second.lease and second.lease.owner) == (CLOUD.agent, OTHER.agent)
    assert late.claim_next(MAIL) is None


def expire(world: World, vault: Vault) -> None:
    """The vault's agent sees every lease, and sees it unchanged a whole lease later."""
    vault.refresh()
    assert vault.reap() == ()
    world.clock.tick(LEASE)
    vault.refresh()


def test_after_a_reap_the_old_owner_may_no_longer_write(world: World) -> None:
    cloud, other = world.vault(CLOUD), world.vault(OTHER)
    cloud.add(made.task())
    held = claimed(cloud)
    expire(world, other)

    assert other.reap() == (held.id,)

    writes: list[Callable[[], object]] = [
        lambda: cloud.submit(held, draft(held)),
        lambda: cloud.renew(held),
        lambda: cloud.release(held),
        lambda: cloud.close(held, held.note),
        lambda: cloud.quarantine(held, reason="late"),
    ]
    for write in writes:
        with pytest.raises(ClaimLost):
            write()
    again = claimed(other)
    assert again.attempt == 2
    cloud.refresh()
    with pytest.raises(ClaimLost, match="held by cloud-2"):
        cloud.submit(held, draft(held))
    with pytest.raises(ClaimLost, match="held by cloud-2"):
        cloud.quarantine(held, reason="late")


def test_you_yesterday_are_not_you_today(world: World) -> None:
    cloud, other = world.vault(CLOUD), world.vault(OTHER)
    cloud.add(made.task())
    yesterday = claimed(cloud)
    expire(world, other)
    other.reap()
    today = claimed(cloud)

    with pytest.raises(ClaimLost):
        cloud.submit(yesterday, draft(yesterday))
    assert cloud.submit(today, draft(today)).revision == 1


def test_a_lease_expires_by_the_observers_own_steady_clock_alone(world: World) -> None:
    cloud, other = world.vault(CLOUD), world.vault(OTHER)
    cloud.add(made.task())
    held = claimed(cloud)
    other.refresh()

    for jump in (timedelta(days=400), timedelta(days=-800), LEASE * 2):
        world.clock.jump(jump)
        assert other.reap() == ()
    world.clock.tick(LEASE - timedelta(seconds=1))
    assert other.reap() == ()
    world.clock.tick(timedelta(seconds=1))
    assert other.reap() == (held.id,)


def test_a_renewed_lease_is_watched_from_its_renewal(world: World) -> None:
    cloud, other = world.vault(CLOUD), world.vault(OTHER)
    cloud.add(made.task())
    held = claimed(cloud)
    expire(world, other)
    cloud.renew(held)
    other.refresh()

    assert other.reap() == ()
    world.clock.tick(LEASE)
    assert other.reap() == (held.id,)


def test_nobody_reaps_their_own_work(world: World) -> None:
    cloud = world.vault(CLOUD)
    cloud.add(made.task())
    held = claimed(cloud)
    expire(world, cloud)

    assert cloud.reap() == ()
    assert [task.id for task in cloud.mine()] == [held.id]
    assert world.vault(CLOUD).mine() == cloud.mine()


@pytest.mark.parametrize("meanwhile", ["renewed", "submitted", "released", "reaped and claimed"])
def test_a_reap_that_comes_too_late_changes_nothing(world: World, meanwhile: str) -> None:
    """The observer looked, and the holder was quicker than its publish."""
    cloud, other = world.vault(CLOUD), world.vault(OTHER)
    cloud.add(made.task())
    held = claimed(cloud)
    expire(world, other)
    if meanwhile == "renewed":
        cloud.renew(held)
    elif meanwhile == "submitted":
        cloud.submit(held, draft(held))
    elif meanwhile == "released":
        cloud.release(held)
    else:
        third = world.vault(LOCAL)
        expire(world, third)
        third.reap()
        claimed(cloud)
    before = world.vault(CLOUD).get(held.id)

    assert other.reap() == ()
    assert world.vault(CLOUD).get(held.id) == before


def test_a_lost_answer_is_unknown_until_the_next_look(world: World) -> None:
    cloud = world.vault(CLOUD)
    cloud.add(made.task())
    world.hub.lose_answers = 1

    with pytest.raises(HubUnreachable):
        cloud.claim_next(MAIL)

    cloud.refresh()
    assert [task.id for task in cloud.mine()] == [made.task_id(0)]
    assert cloud.claim_next(MAIL) is None


def test_while_the_hub_is_away_nothing_is_claimed(world: World) -> None:
    cloud = world.vault(CLOUD)
    cloud.add(made.task())
    world.hub.away = True

    with pytest.raises(HubUnreachable):
        cloud.claim_next(MAIL)

    world.hub.away = False
    cloud.refresh()
    assert cloud.mine() == ()
    assert claimed(cloud).attempt == 1
