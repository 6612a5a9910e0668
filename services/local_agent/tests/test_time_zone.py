"""The zone that a new vault's schedules and working hours go by."""

from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World

from local_agent.setup import time_zone
from local_agent.setup.first_notes import SCHEDULES, first_notes
from vault_protocol.testing import TestClock


def etc(folder: Path, *, link: str | None = None, named: str | None = None) -> Path:
    if link:
        (folder / "localtime").symlink_to(link)
    if named:
        (folder / "timezone").write_text(named + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("variable", "link", "named", "found"),
    [
        ("Asia/Tokyo", "/usr/share/zoneinfo/Europe/Berlin", "Europe/Paris", "Asia/Tokyo"),
        (":Asia/Tokyo", None, None, "Asia/Tokyo"),
        ("/usr/share/zoneinfo/Asia/Tokyo", None, None, "Asia/Tokyo"),
        ("CET-1CEST", "../usr/share/zoneinfo/Europe/Berlin", None, "Europe/Berlin"),
        ("", "/var/db/timezone/zoneinfo/America/New_York", None, "America/New_York"),
        ("", None, "Europe/Paris", "Europe/Paris"),
        ("", "/somewhere/else", "Mars/Base", "UTC"),
        ("../../etc/passwd", None, None, "UTC"),
        ("", None, None, "UTC"),
    ],
)
def test_the_zone_of_the_system_is_the_first_that_is_known(
    tmp_path: Path, variable: str, link: str | None, named: str | None, found: str
) -> None:
    assert time_zone.of_system({"TZ": variable}, etc(tmp_path, link=link, named=named)) == found


def test_every_schedule_and_the_working_hours_of_a_new_vault_name_the_zone() -> None:
    notes = first_notes("Ann", TestClock().now(), "Europe/Berlin")
    for name in SCHEDULES:
        assert b"time_zone: Europe/Berlin\n" in (notes[f"Schedules/{name}.md"] or b"")
    assert b"9:00 to 17:00 Europe/Berlin\n" in (notes["Company_Handbook.md"] or b"")


def test_init_takes_the_machines_zone_or_the_one_that_is_given_and_refuses_one_that_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    by_itself, told = World(tmp_path / "a", capsys.readouterr), World(tmp_path / "b", capsys.readouterr)
    assert "Asia/Tokyo" in by_itself.init().out
    assert "Europe/Paris" in told.init("--zone", "Europe/Paris").out
    wrong = World(tmp_path / "c", capsys.readouterr).init("--zone", "Mars/Base")
    assert wrong.code == 1
    assert "--zone Mars/Base: there is no such time zone" in wrong.err
