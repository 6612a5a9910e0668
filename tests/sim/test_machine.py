"""The same world, driven by hypothesis: it chooses who is next and shrinks what fails."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.sim.breach import Died
from tests.sim.faults import Faults
from tests.sim.world import World
from vault_protocol.errors import ClaimLost, HubUnreachable


class Machine(RuleBasedStateMachine):
    """Chance inside a step comes from the world's seed, which hypothesis chooses too."""

    world: World

    @initialize(seed=st.integers(0, 2**32), clouds=st.integers(2, 8), resident=st.booleans())
    def begin(self, seed: int, clouds: int, resident: bool) -> None:
        faults = Faults(die=0.03, interleave=0.3, late=0.05, twice=0.1, hub_dies=0.01)
        self.world = World(seed, faults=faults, clouds=clouds, mails=4, arbiter=resident)

    @rule(which=st.integers(0, 7))
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

    @rule(which=st.integers(0, 7), back=st.booleans())
    def somebody_is_cut_off_or_comes_back(self, which: int, back: bool) -> None:
        names = [*(cloud.name for cloud in self.world.clouds), "local"]
        name = names[which % len(names)]
        (self.world.cut_off.discard if back else self.world.cut_off.add)(name)

    @rule(which=st.integers(0, 7))
    def a_cloud_is_told_to_stop(self, which: int) -> None:
        cloud = self.world.clouds[which % len(self.world.clouds)]
        try:
            cloud.drain()
        except (ClaimLost, HubUnreachable):
            return
        except Died:
            cloud.restart()

    @rule()
    def the_hub_carries_out_what_came_late(self) -> None:
        self.world.flush()

    @rule()
    def the_hub_dies(self) -> None:
        self.world.hub.crash()

    @rule()
    def the_owners_machine_is_restored(self) -> None:
        self.world._restore()

    @rule()
    def a_forged_head_is_shown(self) -> None:
        self.world._forge()

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
