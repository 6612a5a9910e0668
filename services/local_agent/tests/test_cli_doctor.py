"""`doctor` on the owner's machine: quiet when all is well, and a way to fail in scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    world = World(tmp_path, capsys.readouterr)
    assert world.init("--no-dry-run").code == 0
    return world


def test_a_healthy_vault_has_no_findings_and_says_what_was_checked(world: World) -> None:
    world.approve(world.ask_for(), "--yes")
    world.run("reject", world.ask_for("Another"))
    ran = world.run("doctor", "--json")
    assert (ran.code, ran.json["findings"]) == (0, []), ran.out
    assert (ran.json["commits"], ran.json["tasks"]) == (10, 2), "the rejection taught something, in a commit of its own"
    assert "All is well: 10 commits and 2 tasks checked." in world.run("doctor").out


def test_a_forged_head_is_found_and_ends_with_1(world: World) -> None:
    world.ask_for()
    world.hostile_cloud.write("forge", "dashboard", {"Dashboard.md": b"# forged\n"})
    ran = world.run("doctor", "--json")
    assert ran.code == 1
    assert {finding["invariant"] for finding in ran.json["findings"]} == {"I8"}
    assert "findings in 5 commits and 1 tasks" in ran.err
    assert "Dashboard.md" in world.run("doctor").out


def test_a_damaged_object_of_the_hub_is_found(world: World) -> None:
    world.run("list")
    damaged = next(path for path in (world.hub / "objects").rglob("*") if path.is_file())
    damaged.chmod(0o600)
    damaged.write_bytes(b"not an object")
    ran = world.run("doctor", "--json")
    assert ran.code == 1
    assert "I11" in {finding["invariant"] for finding in ran.json["findings"]}
