"""An agent on a machine of its own: it waits at the hub's door, is let in, works, and is put out."""

from __future__ import annotations

import hashlib
import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from services.cloud_agent.tests.fleet_world import Fleet

from cloud_agent import introduction, machine
from cloud_agent.knocking import Knocking
from demo.processes import eventually
from vault_hub.agents import Agents
from vault_protocol.clock import SystemClock
from vault_protocol.sshsig import PublicKey


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A hub with one agent that it knows."""
    made = Fleet(tmp_path, ("cloud",))
    try:
        yield made
    finally:
        made.close()


def doors(fleet: Fleet) -> Agents:
    clock = SystemClock()
    return Agents(fleet.running.folder / "agents", "v1", now=clock.now, monotonic=clock.monotonic)


def newcomer(fleet: Fleet, name: str = "cloud-2") -> tuple[PublicKey, str]:
    """A home with its own key and token, of which the hub is told the public halves alone."""
    key = PublicKey.parse(machine.make_home(fleet.home(name), name))
    token = secrets.token_hex(32)
    fleet.token(name).write_text(token, encoding="ascii")
    lines = fleet.settings(name).splitlines()
    kept = [line for line in lines if not line.startswith("vault = ")]
    fleet.config(name).write_text("\n".join(kept) + "\n", encoding="utf-8")
    return key, hashlib.sha256(token.encode()).hexdigest()


@contextmanager
def running(fleet: Fleet, name: str = "cloud-2") -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "-m", "cloud_agent", "run", "--config", str(fleet.config(name))]
    argv += ["--introduction", str(fleet.home(name) / "introduction"), "--ask-hub"]
    with (fleet.home(name) / "log").open("ab") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_it_waits_at_the_door_and_is_told_of_vault_and_owner_once_it_is_let_in(fleet: Fleet) -> None:
    key, token = newcomer(fleet)
    folder = fleet.home("cloud-2") / "introduction"
    knock = Knocking(fleet.config("cloud-2"), folder)
    knock()
    assert introduction.read(folder) is None
    assert doors(fleet).admit("cloud-2", key, token_sha256=token)

    def looked() -> introduction.Introduction | None:
        knock()
        return introduction.read(folder)

    found = eventually(looked, "the hub read its agents again")
    assert found is not None
    assert found.vault == "v1"
    assert PublicKey.parse(found.owner_key_file.read_text()) == fleet.running.owner_key


def test_what_it_was_told_first_is_kept_though_the_hub_says_something_else_later(fleet: Fleet) -> None:
    newcomer(fleet)
    folder = fleet.home("cloud-2") / "introduction"
    folder.mkdir()
    (folder / "owner.pub").write_text("the owner's\n")
    (folder / "vault").write_text("v0\n")

    def ask() -> None:
        raise AssertionError("nobody is asked")

    found = introduction.awaited(folder, (signal.SIGTERM,), ask)
    assert found is not None
    assert found.vault == "v0"


def test_it_ends_well_while_it_waits_and_says_once_why(fleet: Fleet) -> None:
    newcomer(fleet)
    with running(fleet) as process:
        eventually(lambda: "agent.not-let-in" in fleet.said("cloud-2"), "it knocked")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    said = [json.loads(line) for line in fleet.said("cloud-2").splitlines()]
    assert [one["event"] for one in said] == ["agent.waiting", "agent.not-let-in"]
    assert "does not let us in" in said[1]["reason"]


def test_let_in_it_works_in_its_own_name_and_put_out_it_says_so(fleet: Fleet) -> None:
    key, token = newcomer(fleet)
    doors(fleet).admit("cloud-2", key, token_sha256=token)
    with running(fleet) as process:
        heard = lambda: "agent.started" in fleet.said("cloud-2")  # noqa: E731
        eventually(heard, "it starts, if at its second knock", seconds=2 * introduction.ASK)
        doors(fleet).revoke("cloud-2")
        eventually(lambda: "does not let us in" in fleet.said("cloud-2"), "it is put out", seconds=60)
        assert process.poll() is None, "and waits, as whoever was put out by mistake is let in again by its operator"
