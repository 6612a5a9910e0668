"""What agents say of the handbook, on the Dashboard."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World, until

from local_agent.dashboard import render
from vault_protocol.task import AgentId
from vault_protocol.updates import Update

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CLOUD = AgentId("cloud")


def unread(version: str, line: int) -> Update:
    return Update.of("handbook-unread", NOW, version=version, line=line, why="unknown-effect")


def test_lines_of_the_handbook_that_are_not_understood_are_shown_until_a_version_without_them_was_read() -> None:
    old = [unread("aa", 12), Update.of("handbook-read", NOW, version="aa", unread=1)]
    assert "- line 12: unknown-effect\n" in render({}, {}, {CLOUD: old})
    new = [*old, unread("bb", 7), Update.of("handbook-read", NOW, version="bb", unread=1)]
    shown = render({}, {}, {CLOUD: new}).partition("## Lately")[0]
    assert "line 7" in shown
    assert "line 12" not in shown
    clean = [*new, Update.of("handbook-read", NOW, version="cc", unread=0)]
    assert "Rules that are not understood" not in render({}, {}, {CLOUD: clean})


def test_a_schedule_that_does_not_run_is_shown_with_what_to_do() -> None:
    shown = render({}, {}, {}, unread=[("daily-digest", "bad-cron")])
    assert "- `daily-digest`: bad-cron; give `cron` five fields, such as `0 8 * * *`\n" in shown
    assert "Schedules that do not run" not in render({}, {}, {})


def test_a_row_of_limits_that_is_not_understood_is_on_the_dashboard_and_in_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path, capsys.readouterr)
    assert world.init().code == 0
    assert world.run("status", "--json").json["unread_limits"] == []
    with world.service():
        dashboard, handbook = world.notes / "Dashboard.md", world.notes / "Company_Handbook.md"
        until(lambda: dashboard.exists() and handbook.exists())
        text = handbook.read_text(encoding="utf-8").replace("| mails |", "| mials |")
        handbook.write_text(text, encoding="utf-8")
        until(lambda: "The row mials below Limits in Company_Handbook.md is not understood" in dashboard.read_text())
    assert world.run("status", "--json").json["unread_limits"] == ["mials"]
    assert "the row 'mials' in Company_Handbook.md is not understood" in " ".join(world.run("status").out.split())


def test_what_begins_nothing_of_goals_and_objectives_is_shown_with_what_to_do() -> None:
    notes = [
        Update.of("goals-unread", NOW, line=14, why="unknown-cadence"),
        Update.of("goals-used-up", NOW, network="x", account="able"),
        Update.of("objective-unread", NOW, name="move-house", why="no-note"),
    ]
    shown = render({}, {}, {}, notes=notes)
    assert "- line 14: unknown-cadence; write `2 a week` or `once a month`\n" in shown
    assert "- no words are left for x (account able): write new ones below *Posts*\n" in shown
    assert "- `move-house`: no-note; begin it with front matter between two lines `---`\n" in shown
    assert "Plans that do not begin" not in render({}, {}, {})
