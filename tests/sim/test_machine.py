"""The same world, driven by hypothesis: it chooses who is next and shrinks what fails."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.sim.faults import Faults
from tests.sim.world import World


class Machine(RuleBasedStateMachine):
    """Chance inside a step comes from the world's seed, which hypothesis chooses too."""

    world: World

    @initialize(seed=st.integers(0, 2**32), clouds=st.integers(2, 4))
    def begin(self, seed: int, clouds: int) -> None:
        self.world = World(seed, faults=Faults(die=0.03, interleave=0.3), clouds=clouds, mails=4)

    @rule(which=st.integers(0, 3))
    def a_cloud_acts(self, which: int) -> None:
        self.world.turn(self.world.clouds[which % len(self.world.clouds)])

    @rule(times=st.integers(1, 4))
    def local_acts(self, times: int) -> None:
        for _ in range(times):
            self.world.turn(self.world.local)

    @rule(times=st.integers(1, 4))
    def the_owner_acts(self, times: int) -> None:
        for _ in range(times):
            self.world.turn(self.world.owner)

    @rule(seconds=st.sampled_from([5, 60, 601, 3601]))
    def time_passes(self, seconds: int) -> None:
        self.world.tick(timedelta(seconds=seconds))

    @rule(which=st.integers(0, 4), hours=st.sampled_from([-25, -1, 1, 25]))
    def a_clock_jumps(self, which: int, hours: int) -> None:
        clocks = self.world.clocks
        clocks[which % len(clocks)].jump(timedelta(hours=hours))

    @rule(away=st.booleans())
    def the_hub_goes_away_or_comes_back(self, away: bool) -> None:
        self.world.hub.away = away

    @rule()
    def anything_happens(self) -> None:
        for _ in range(5):
            self.world.step()

    @invariant()
    def every_commit_holds(self) -> None:
        if hasattr(self, "world"):
            self.world.history.follow(self.world.hub.head)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.settle()
            self.world.local.close()


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, derandomize=True, print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
