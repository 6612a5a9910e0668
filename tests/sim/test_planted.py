"""Each planted bug is caught within a few seeds, and the same seeds are clean without it."""

from __future__ import annotations

import pytest

from tests.sim.breach import Breach
from tests.sim.catalogue import PLANTED, Planted
from tests.sim.faults import Faults
from tests.sim.world import World

SEEDS, STEPS = 60, 400


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_bug_is_caught(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a seed that breaks its invariant; that seed is clean without the bug."""
    with monkeypatch.context() as patch:
        planted.bug(patch)
        broken = (seed for seed in range(SEEDS) if breaks(seed, planted) == planted.invariant)
        seed = next(broken, None)
    assert seed is not None, f"{planted.invariant} held in {SEEDS} seeds of {STEPS} steps"
    assert breaks(seed, planted) == ""


def breaks(seed: int, planted: Planted) -> str:
    """The invariant that this seed breaks, empty for none."""
    world = World(seed, faults=Faults(**planted.faults), clouds=2, mails=6, arbiter=planted.resident)
    try:
        world.run(STEPS)
        world.settle()
    except Breach as breach:
        return breach.invariant
    finally:
        world.local.close()
    return ""
