"""What is approved for later happens then, if it still may; what was taken back never does."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import PASSPHRASE, World
from services.local_agent.tests.office import Office, Outside

from local_agent.assemble import Local, assemble
from local_agent.cli.approving import time_of_day
from local_agent.decisions import How
from local_agent.effects import Ledger, State
from local_agent.effects.execute import Outcome
from local_agent.signers import signer
from local_agent.taking_back import TooLate, approvals, take_back
from vault_protocol.action import SendMail
from vault_protocol.approval import Approved
from vault_protocol.errors import IllegalMove, VaultError
from vault_protocol.task import Stage
from vault_protocol.testing import TestClock

TUESDAY = timedelta(days=5)


class Choosy(Outside):
    """Refuses the mails of these tasks for good."""

    def perform(self, what: Approved[SendMail], *, key: str, at: datetime) -> Outcome:
        if what.approval.task in self.refused:
            return Outcome(State.REFUSED, "550 no such user")
        return super().perform(what, key=key, at=at)

    refused: tuple[str, ...] = ()


class Desk(Office):
    """The owner decides by the clock of the service."""

    clock: TestClock

    def local(self) -> Local:
        local = assemble(self.world.home, self.clock)
        local.vault.refresh()
        return local

    def schedule(self, *subjects: str, at: datetime | None = None) -> list[str]:
        tasks = [str(self.world.ask_for(subject)) for subject in subjects or ("Your offer",)]
        local = self.local()
        sign = signer(self.world.home, local.settings, self.clock)
        sign.unlock(PASSPHRASE, 5)
        for task in tasks:
            local.desk.approve(local.vault.get(task), sign=sign.sign, how=How.PAGE, at=at)
        return tasks

    def look(self) -> list[str]:
        """A service that starts, looks once, and ends; what was sent so far."""
        with self.running() as service:
            service.step()
        return self.outside.accepted

    def stages(self, *tasks: str) -> list[Stage]:
        local = self.local()
        return [local.vault.get(task).stage for task in tasks]


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    world = World(tmp_path, capsys.readouterr)
    assert world.init("--no-dry-run", "--undo-seconds", "10").code == 0
    return Desk(world, TestClock(datetime.now(UTC).replace(microsecond=0)), Choosy())


def test_what_is_approved_for_tuesday_is_sent_on_tuesday_over_restarts(desk: Desk) -> None:
    (task,) = desk.schedule(at=desk.clock.now() + TUESDAY)
    assert desk.look() == []
    desk.clock.tick(TUESDAY - timedelta(minutes=1))
    assert desk.look() == []
    desk.clock.tick(timedelta(minutes=1))
    assert desk.look() == [task]
    assert desk.look() == [task]
    assert desk.stages(task) == [Stage.DONE]


def test_it_says_what_it_waits_for(desk: Desk) -> None:
    (task,) = desk.schedule(at=desk.clock.now() + TUESDAY)
    with desk.running() as service:
        service.step()
        assert service.executor.waiting_for(desk.local().vault.get(task)).startswith("its time, ")
        assert service.executor.next_due() == desk.clock.now() + TUESDAY


def test_a_machine_that_was_off_for_less_than_a_day_sends_it_late(desk: Desk) -> None:
    (task,) = desk.schedule(at=desk.clock.now() + TUESDAY)
    desk.clock.tick(TUESDAY + timedelta(hours=23))
    assert desk.look() == [task]


def test_a_machine_that_was_off_for_longer_sends_nothing_and_asks_again(desk: Desk) -> None:
    (task,) = desk.schedule(at=desk.clock.now() + TUESDAY)
    desk.clock.tick(TUESDAY + timedelta(hours=24))
    assert desk.look() == []
    assert desk.stages(task) == [Stage.PENDING_APPROVAL]
    assert "expired" in desk.local().vault.get(task).note.front.words("reopened_because")


def test_what_is_too_far_ahead_is_not_approved(desk: Desk) -> None:
    with pytest.raises(VaultError, match="more than 366 days"):
        desk.schedule(at=desk.clock.now() + timedelta(days=367))


def test_one_that_fails_does_not_hold_up_the_others(desk: Desk) -> None:
    first, second, third = desk.schedule("One", "Two", "Three")
    outside = desk.outside
    assert isinstance(outside, Choosy)
    outside.refused = (second,)
    desk.clock.tick(timedelta(seconds=11))
    assert sorted(desk.look()) == sorted([first, third])
    assert desk.stages(first, second, third) == [Stage.DONE, Stage.PENDING_APPROVAL, Stage.DONE]


@pytest.mark.parametrize("after", [timedelta(0), timedelta(seconds=9), TUESDAY - timedelta(seconds=1), TUESDAY * 2])
def test_what_is_taken_back_before_it_began_is_never_sent(desk: Desk, after: timedelta) -> None:
    """Also after its time, when nobody has begun it: a machine that was off."""
    (task,) = desk.schedule(at=desk.clock.now() + TUESDAY)
    desk.clock.tick(after)
    local = desk.local()
    back = take_back(local, local.vault.get(task))
    assert (back.stage, back.trouble) == (Stage.PENDING_APPROVAL, "")
    desk.clock.tick(TUESDAY)
    assert desk.look() == []
    assert desk.stages(task) == [Stage.PENDING_APPROVAL]


def test_what_was_sent_is_not_taken_back_and_nobody_says_so(desk: Desk) -> None:
    (task,) = desk.schedule()
    stale = desk.local()
    desk.clock.tick(timedelta(seconds=11))
    assert desk.look() == [task]
    with pytest.raises(TooLate, match="it is too late"):
        take_back(stale, stale.vault.get(task))
    local = desk.local()
    with pytest.raises(IllegalMove, match="is in Done"):
        take_back(local, local.vault.get(task))
    assert desk.stages(task) == [Stage.DONE]


def test_a_death_between_taking_back_and_moving_the_note_loses_neither(desk: Desk) -> None:
    (task,) = desk.schedule()
    local = desk.local()
    (signed,) = approvals(local, local.vault.get(task))
    with closing(Ledger(desk.world.home.ledger)) as ledger:
        assert ledger.revoke(signed.approval, now=desk.clock.now())
    desk.clock.tick(timedelta(minutes=1))
    assert desk.look() == []
    assert desk.stages(task) == [Stage.PENDING_APPROVAL]


def test_while_the_hub_is_away_taking_back_holds_and_the_note_follows_later(desk: Desk) -> None:
    (task,) = desk.schedule()
    local = desk.local()
    elsewhere = desk.world.hub_away()
    assert take_back(local, local.vault.get(task)).trouble
    elsewhere.rename(desk.world.hub)
    desk.clock.tick(timedelta(minutes=1))
    assert desk.look() == []
    assert desk.stages(task) == [Stage.PENDING_APPROVAL]


def test_a_clock_set_back_after_it_was_taken_back_sends_nothing(desk: Desk) -> None:
    (task,) = desk.schedule(at=desk.clock.now() + TUESDAY)
    local = desk.local()
    take_back(local, local.vault.get(task))
    desk.clock.tick(TUESDAY)
    desk.look()
    desk.clock.jump(-timedelta(days=1))
    assert desk.look() == []


def test_a_command_takes_a_time_of_the_owners_clock(desk: Desk) -> None:
    world, task = desk.world, str(desk.world.ask_for())
    for wrong, says in (("tuesday", "write 2026-12-01 09:00"), ("2020-01-01 09:00", "that is over")):
        ran = world.approve(task, "--yes", "--at", wrong)
        assert (ran.code, says in ran.err) == (1, True)
    when = (datetime.now() + TUESDAY).replace(microsecond=0)  # noqa: DTZ005 - as the owner types it
    ran = world.approve(task, "--yes", "--at", when.isoformat(" ", "minutes"))
    assert ran.code == 0, ran.err
    assert f"{when:%A %Y-%m-%d %H:%M}" in ran.out


def test_whether_a_time_is_over_goes_by_the_clock_that_is_handed_in() -> None:
    """Whatever the machine that this runs on says."""
    now = datetime(2040, 12, 1, 9, 0, tzinfo=UTC)
    with pytest.raises(VaultError, match="that is over"):
        time_of_day("2040-12-01 08:59+00:00", now)
    assert time_of_day("2040-12-01 10:01+01:00", now) == now + timedelta(minutes=1)
    assert time_of_day("2001-01-01 09:00+00:00", datetime(2001, 1, 1, tzinfo=UTC)).year == 2001
