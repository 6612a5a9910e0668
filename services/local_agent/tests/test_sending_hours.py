"""`Send only within working hours`: what reaches people and is approved outside of them waits, and says until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import PASSPHRASE, World
from services.local_agent.tests.office import Outside
from services.local_agent.tests.page_world import office
from services.local_agent.tests.test_scheduling import Desk

from drafting import handbook
from local_agent.assemble import assemble
from local_agent.dashboard import of_vault
from local_agent.kinds import KINDS
from vault_protocol import layout
from vault_protocol.canonical import utc
from vault_protocol.testing import TestClock

HOURS = "- Working hours: Monday to Friday, 9:00 to 17:00 Europe/Berlin"
RULE = "- Send only within working hours: yes"
FRIDAY_NIGHT = datetime(2026, 10, 23, 20, 0, tzinfo=UTC)
MONDAY = datetime(2026, 10, 26, 8, 0, tzinfo=UTC)
"""Nine o'clock in Berlin: the clocks went back on Sunday."""


def handbook_of(*rules: str, scope: str = "") -> bytes:
    return ("\n".join(("# Company Handbook", "", f"## Rules{scope}", "", *rules)) + "\n").encode()


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    world = World(tmp_path, capsys.readouterr)
    assert world.init("--no-dry-run", "--undo-seconds", "10").code == 0
    return Desk(world, TestClock(FRIDAY_NIGHT), Outside())


def rules(desk: Desk, content: bytes) -> None:
    desk.local().vault.write("owner_edit", layout.HANDBOOK, {layout.HANDBOOK: content})


def test_a_mail_approved_on_friday_night_leaves_on_monday_morning_across_a_change_of_the_clocks(desk: Desk) -> None:
    rules(desk, handbook_of(HOURS, RULE))
    (task,) = desk.schedule()
    assert f"waits until {utc(MONDAY)}" in of_vault(desk.local().vault)
    assert desk.look() == []
    desk.clock.tick(MONDAY - FRIDAY_NIGHT - timedelta(seconds=1))
    assert desk.look() == []
    desk.clock.tick(timedelta(seconds=1))
    assert desk.look() == [task]


@pytest.mark.parametrize(
    "content",
    [
        handbook_of(HOURS), handbook_of(HOURS, "- Send only within working hours: no"), handbook_of(RULE),
        handbook_of(HOURS, RULE, scope=" (personal)"),
    ],
)  # fmt: skip
def test_nothing_waits_without_the_rule_or_the_hours_or_for_other_mail(desk: Desk, content: bytes) -> None:
    rules(desk, content)
    (task,) = desk.schedule()
    desk.clock.tick(timedelta(seconds=11))
    assert desk.look() == [task]


def test_a_time_that_the_owner_names_counts_before_the_hours(desk: Desk) -> None:
    rules(desk, handbook_of(HOURS, RULE))
    (task,) = desk.schedule(at=FRIDAY_NIGHT + timedelta(hours=1))
    desk.clock.tick(timedelta(hours=1))
    assert desk.look() == [task]


def test_what_reaches_people_keeps_the_hours_and_books_and_payments_do_not() -> None:
    assert {name for name, kind in KINDS.items() if kind.keeps_hours} == {
        "send_mail", "forward_mail", "publish_post", "send_whatsapp", "send_sealed"
    }  # fmt: skip


def test_the_command_says_when_it_leaves_and_at_once_sends_it_now(desk: Desk) -> None:
    """The command goes by the machine's clock: hours that are over, whenever this runs."""
    world = desk.world
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%A")
    rules(desk, handbook_of(f"- Working hours: {day}, 9:00 to 17:00 UTC", RULE))
    first, second = str(world.ask_for("One")), str(world.ask_for("Two"))
    ran = world.approve(first, "--yes")
    assert ran.code == 0, ran.err
    assert f"It goes out at {day}" in ran.out
    ran = world.approve(second, "--yes", "--at-once")
    assert "(in 10 s)" in ran.out


def test_a_rule_without_hours_is_told_with_its_line() -> None:
    (unread,) = handbook.read(handbook_of(RULE).decode()).unread
    assert (unread.line, unread.why) == (5, handbook.Unreadable.HOURS)
    assert handbook.read(handbook_of(HOURS, RULE).decode()).unread == ()


@pytest.mark.parametrize(
    ("moment", "leaves"),
    [
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 0, 45, tzinfo=UTC), datetime(2026, 10, 25, 0, 45, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_hours_that_begin_in_the_night_of_a_change_never_begin_before_the_moment_itself(
    moment: datetime, leaves: datetime
) -> None:
    """2:30 in Berlin: left out in spring, when it is 3:30 by the new time at half past one in UTC; twice in autumn."""
    text = handbook_of("- Working hours: Sunday, 2:30 to 5:00 Europe/Berlin", RULE).decode()
    assert handbook.read(text).leaves(moment) == leaves


def test_the_page_says_until_when_it_waits_before_and_after_and_sends_it_at_once_when_told(world: World) -> None:
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%A")
    with office(world) as desk:
        local = assemble(world.home)
        local.vault.refresh()
        hours = handbook_of(f"- Working hours: {day}, 9:00 to 17:00 UTC", RULE)
        local.vault.write("owner_edit", layout.HANDBOOK, {layout.HANDBOOK: hours})
        first, second = world.ask_for("One"), world.ask_for("Two")
        browser = desk.paired()
        shown = browser.see(f"task/{first}").text
        assert f"{day}, " in shown
        assert "within your working hours" in shown
        assert browser.do(f"task/{first}/approve", on=f"task/{first}", passphrase=PASSPHRASE).status == 303
        assert "waits until" in browser.see().text
        told = {"passphrase": PASSPHRASE, "at-once": "yes"}
        assert browser.do(f"task/{second}/approve", on=f"task/{second}", **told).status == 303
        assert "leaves at" in browser.see().text
    records = world.run("log", "--json", "--task", first).json["records"]
    assert records[-1]["parameters"]["waits_until"].endswith("T09:00:00Z")
