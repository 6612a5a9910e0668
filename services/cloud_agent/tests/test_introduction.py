"""A cloud agent in the stack waits until its hub has an owner, and is well meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud_agent.alive import alive
from cloud_agent.introduction import Introduction
from cloud_agent.introduction import read as read_introduction
from cloud_agent.settings import read
from demo.processes import eventually

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SETTINGS = (
    'hub = "https://hub.example"\nstate_dir = "state"\nkey_file = "key"\nsecret_file = "secret"\nowner_name = "Ann"\n'
)


def test_the_hubs_introduction_fills_in_what_the_settings_leave_out_and_nothing_else(tmp_path: Path) -> None:
    config = tmp_path / "cloud.toml"
    config.write_text(SETTINGS)
    introduced = Introduction("vault-1", tmp_path / "owner.pub")
    assert read(config, introduced).vault == "vault-1"
    assert read(config, introduced).owner_key_file == tmp_path / "owner.pub"
    config.write_text('vault = "mine"\n' + SETTINGS)
    assert read(config, introduced).vault == "mine"


def test_an_introduction_is_there_when_the_vaults_id_is(tmp_path: Path) -> None:
    assert read_introduction(tmp_path) is None
    (tmp_path / "owner.pub").write_text("key")
    assert read_introduction(tmp_path) is None
    (tmp_path / "vault").write_text("vault-1\n")
    assert read_introduction(tmp_path) == Introduction("vault-1", tmp_path / "owner.pub")


def test_while_it_waits_it_ends_well_when_told_to(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "cloud_agent", "run", "--config", str(tmp_path / "none"), "--introduction", "."]
    with subprocess.Popen(argv, cwd=tmp_path, stderr=subprocess.PIPE, env=os.environ) as process:
        assert process.stderr is not None
        assert json.loads(process.stderr.readline())["event"] == "agent.waiting"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_when_the_owner_comes_it_goes_on_by_itself(tmp_path: Path) -> None:
    config = tmp_path / "cloud.toml"
    config.write_text(SETTINGS)
    argv = [sys.executable, "-m", "cloud_agent", "run", "--config", str(config), "--introduction", "."]
    with subprocess.Popen(argv, cwd=tmp_path, stderr=subprocess.PIPE, env=os.environ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        (tmp_path / "owner.pub").write_text("key")
        (tmp_path / "vault").write_text("vault-1\n")
        eventually(lambda: process.poll() is not None, "it read its settings", seconds=60)
        assert b"cannot use" in process.stderr.read() or process.returncode == 1


@pytest.mark.parametrize(
    ("age", "says"), [(5, ""), (500, "500 s ago"), (None, "no health.json")], ids=["fresh", "stale", "none"]
)
def test_it_is_alive_while_its_worker_steps(tmp_path: Path, age: int | None, says: str) -> None:
    (tmp_path / "vault").write_text("vault-1\n")
    if age is not None:
        last = (NOW - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
        (tmp_path / "health.json").write_text(json.dumps({"last_step": last}))
    found = alive(tmp_path, tmp_path, NOW)
    assert says in found
    assert bool(says) == bool(found)


def test_it_is_alive_while_it_waits_for_its_owner(tmp_path: Path) -> None:
    assert alive(tmp_path, tmp_path / "nowhere", NOW) == ""
