"""The seeded simulation in its three lanes. A seed that fails is printed; `--seed N` runs it alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.sim import specification
from tests.sim.faults import Faults
from tests.sim.hubs import Arbiter
from tests.sim.world import World
from vault_protocol.vault import Vault

STEPS = 500
"""Steps a seed: long enough for every move, short enough that a commit costs little."""

SHARDS, OF_SOAK = 20, 200
"""Tests that a lane is cut into: each ends before pytest shows where it hangs, which has ended a whole worker."""
ROUGH = Faults(
    interleave=0.4, stale=0.7, die=0.02, die_at_a_step=0.2, lose_answer=0.08, cut=0.05, restore=0.2, jump=2.0,
    late=0.05, twice=0.1, hub_dies=0.02, partition=1.0,
)  # fmt: skip
"""Everything goes wrong much more often."""


def lane(steps: int, shard: int, asked: int | None, *, shards: int = SHARDS) -> range:
    """The seeds of one shard of a lane with so many steps in all."""
    if asked is not None:
        return range(asked, asked + 1) if shard == 0 else range(0)
    seeds = steps // STEPS // shards
    return range(shard * seeds, (shard + 1) * seeds)


def take(seed: int, steps: int = STEPS, ledgers: Path | None = None, faults: Faults | None = None) -> World:
    """One seed to its end. Odd seeds are rough; half of the seeds have the resident hub, some a large fleet."""
    world = World(
        seed, faults=faults or (ROUGH if seed % 2 else Faults()), ledgers=ledgers, arbiter=seed // 2 % 2 == 1,
        clouds=8 if seed % 10 >= 8 else 0,
    )  # fmt: skip
    try:
        world.run(steps)
        world.settle()
    finally:
        world.local.close()
    return world


@pytest.fixture
def asked(request: pytest.FixtureRequest) -> int | None:
    seed: int | None = request.config.getoption("--seed", None)
    return seed


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_invariant_holds_over_a_hundred_thousand_steps(shard: int, asked: int | None) -> None:
    for seed in lane(10**5, shard, asked):
        take(seed)


@pytest.mark.prove
@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_invariant_holds_over_a_million_steps(shard: int, asked: int | None) -> None:
    for seed in lane(10**6, shard, asked):
        take(seed)


@pytest.mark.soak
@pytest.mark.parametrize("shard", range(OF_SOAK))
def test_every_invariant_holds_over_ten_million_steps(shard: int, asked: int | None) -> None:
    for seed in lane(10**7, shard, asked, shards=OF_SOAK):
        take(seed)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(4))
def test_every_invariant_holds_with_the_ledger_on_disk(seed: int, tmp_path: Path) -> None:
    take(seed, ledgers=tmp_path)


@pytest.mark.prove
def test_every_invariant_holds_in_one_long_life() -> None:
    take(1, steps=10_000)


MOVES = {
    ("(new)", "Needs_Action"), ("(new)", "Quarantine"),
    ("Needs_Action", "In_Progress"), ("Needs_Action", "Quarantine"),
    ("In_Progress", "In_Progress"), ("In_Progress", "Needs_Action"), ("In_Progress", "Pending_Approval"),
    ("In_Progress", "Quarantine"), ("In_Progress", "Done"),
    ("Pending_Approval", "Pending_Approval"), ("Pending_Approval", "Approved"), ("Pending_Approval", "Rejected"),
    ("Pending_Approval", "Needs_Action"), ("Pending_Approval", "Quarantine"), ("Pending_Approval", "Done"),
    ("Approved", "Pending_Approval"), ("Approved", "Done"),
    ("Rejected", "Needs_Action"), ("Quarantine", "Needs_Action"),
}  # fmt: skip
DEATHS = {
    "before swap", "after swap", "started", "performed", "outcome", "copied", "answered", "receipt", "taken back",
    "resolved", "hub: line made", "hub: on disk", "hub: shown",
}  # fmt: skip


def test_the_simulation_makes_every_move_and_dies_at_every_step() -> None:
    moved: Counter[tuple[str, str]] = Counter()
    deaths: Counter[str] = Counter()
    unsure = Faults(answer_of_mail_lost=0.5, kept_in_sent=0.1, die_at_a_step=0.4)
    for world in (*(take(seed) for seed in range(40)), *(take(seed, faults=unsure) for seed in range(40, 60))):
        moved += world.history.moved
        deaths += world.deaths
    assert MOVES - set(moved) == set()
    assert DEATHS - set(deaths) == set()


READS = {"refresh", "get", "tasks", "malformed", "mine", "passes_over"}
SAID = {"claim_next": "claim", "quarantine_note": "quarantine", "write": "tell"}
"""What a verb calls itself in a commit, where that is not its name."""


def test_the_simulation_uses_every_verb_of_the_vault() -> None:
    verbs = {name for name, found in vars(Vault).items() if not name.startswith("_") and callable(found)} - READS
    published: Counter[str] = Counter()
    recorded: set[str] = set()
    for seed in range(40):
        world = take(seed)
        published += world.history.verbs
        recorded |= {one.verb for history in world.recording.tasks.values() for one in history}
    assert {SAID.get(verb, verb) for verb in verbs} - set(published) == set()
    assert recorded == set(specification.STEPS) - {"read"}


def test_the_simulated_hub_puts_publishes_in_a_line_and_on_newer_heads() -> None:
    hubs = [world.hub for seed in range(2, 20) if isinstance((world := take(seed)).hub, Arbiter)]
    assert len(hubs) >= 8
    assert sum(hub.regrafted for hub in hubs) > 50
    assert sum(hub.grouped for hub in hubs) > 10


def test_a_seed_takes_the_same_steps_each_time() -> None:
    first, again = take(7), take(7)
    assert first.hub.head == again.hub.head
    assert first.outside.accepted == again.outside.accepted
