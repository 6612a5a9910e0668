"""`pause`, `resume`, `dry-run`: one switch each, in force at once, with or without the hub."""

from __future__ import annotations

import subprocess
import tomllib
from contextlib import closing

from services.local_agent.tests.cli_world import COMMAND, World

from local_agent.effects import Ledger


def paused(world: World) -> str | None:
    with closing(Ledger(world.home.ledger)) as ledger:
        return ledger.paused()


def test_pause_and_resume_are_in_the_ledger_and_in_the_log(world: World) -> None:
    assert world.run("pause", "--why", "on holiday", "--json").json == {"paused": "on holiday"}
    assert paused(world) == "on holiday"
    assert "on holiday" in world.run("status").out
    assert world.run("resume").code == 0
    assert paused(world) is None
    assert world.audit()[-2:] == ["effects.paused", "effects.resumed"]
    assert "Nothing was paused" in world.run("resume").out


def test_pause_works_when_the_hub_is_away_and_says_what_is_missing(world: World) -> None:
    world.hub_away()
    ran = world.run("pause")
    assert ran.code == 0
    assert "not in the audit log" in ran.err
    assert paused(world)


def test_dry_run_changes_one_word_of_the_settings(world: World) -> None:
    before = world.home.config.read_text(encoding="utf-8")
    assert world.run("dry-run", "--json").json == {"dry_run": True}
    assert world.run("dry-run", "off").code == 0
    assert world.home.config.read_text(encoding="utf-8") == before.replace("dry_run = true", "dry_run = false")
    assert world.run("dry-run", "on").code == 0
    assert world.home.config.read_text(encoding="utf-8") == before
    assert world.audit()[-2:] == ["dry_run.off", "dry_run.on"]
    assert world.run("dry-run", "perhaps").err == "countersign: say `on` or `off`\n"


def test_the_end_of_a_dry_run_asks_when_approvals_would_leave(world: World) -> None:
    task = world.ask_for()
    ran = world.approve(task, "--yes")
    assert "Dry run is on" in ran.err
    argv = [*COMMAND, "dry-run", "off", "--home", str(world.home.path)]
    done = subprocess.run(argv, input="n\n", capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 1
    assert task in done.stderr
    assert tomllib.loads(world.home.config.read_text(encoding="utf-8"))["dry_run"] is True
    assert world.run("dry-run", "off", "--yes").code == 0
