"""Each kind of credential is planted, used, and then looked for everywhere it must not be, in several spellings."""

from __future__ import annotations

import json
import os
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from services.local_agent.tests.cli_world import COMMAND, PASSPHRASE, World, until
from services.local_agent.tests.transferring import transfer
from services.local_agent.tests.wise_server import TOKEN, WiseServer

from local_agent.assemble import own_secrets
from vault_protocol.crashes import envelope
from vault_protocol.scan import OwnSecrets
from vault_protocol.task import Stage

SECONDS = 90
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PLANTED = {
    "mail password": 'mail-pass "word" 9931 äß',
    "books key": "b00ks-key-5f2a77c1d9e04b",
    "payments token": TOKEN,
    "gmail refresh token": "1//0gmail-refresh-token-77213",
    "gmail client secret": "gmail-client-secret-88121",
    "approval passphrase": PASSPHRASE,
}


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    world = World(tmp_path, capsys.readouterr)
    assert world.init("--no-dry-run", "--undo-seconds", "0").code == 0
    return world


@pytest.fixture
def wise() -> Iterator[WiseServer]:
    server = WiseServer()
    with server:
        yield server


def keep(world: World, name: str, value: str) -> None:
    """By a descriptor, as a password manager hands it over."""
    reading, writing = os.pipe()
    os.write(writing, value.encode())
    os.close(writing)
    argv = [*COMMAND, "secrets", "set", name, "--fd", str(reading), "--home", str(world.home.path)]
    ran = subprocess.run(argv, capture_output=True, encoding="utf-8", timeout=60, check=False, pass_fds=[reading])
    os.close(reading)
    assert ran.returncode == 0, ran.stderr
    assert value not in ran.stdout + ran.stderr


def spellings(value: str) -> set[bytes]:
    raw = value.encode()
    return {raw, b64encode(raw).rstrip(b"="), raw.hex().encode(), quote(value, safe="").encode(),
            json.dumps(value)[1:-1].encode()}  # fmt: skip


def found_in(content: bytes) -> list[str]:
    return [name for name, value in PLANTED.items() if any(one in content for one in spellings(value))]


def everything_of(hub: Path) -> bytes:
    """Every object of a repository, unpacked, with its file names."""
    argv = ["git", f"--git-dir={hub}", "cat-file", "--batch", "--batch-all-objects"]
    return subprocess.run(argv, capture_output=True, check=True, timeout=60).stdout


def family(root: int) -> list[int]:
    """The process and everything it started, by /proc."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            stat = (entry / "stat").read_text(encoding="utf-8")
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
        except OSError:
            continue
    known = {root}
    while more := {child for child, parent in parents.items() if parent in known} - known:
        known |= more
    return sorted(known)


def told_by_processes(root: int) -> bytes:
    """Arguments and environments, as any program of the user may read them."""
    read = b""
    for process in family(root):
        for name in ("cmdline", "environ"):
            try:
                read += (Path("/proc") / str(process) / name).read_bytes()
            except OSError:
                continue
    return read


def plant(world: World, wise: WiseServer) -> dict[str, Path]:
    """One account of every kind; where each secret may lie, for those that lie in a file of the owner's."""
    places = {"mail password": world.folder / "mail-password", "books key": world.folder / "books-key"}
    for name, path in places.items():
        path.write_text(PLANTED[name] + "\n", encoding="utf-8")
    lines = [
        "[[accounts]]", 'name = "business"', 'address = "ann@owner.example"', 'user = "ann"',
        f'password_file = "{places["mail password"]}"', 'imap_host = "127.0.0.1"', "imap_port = 1", 'imap_tls = "none"',
        'submission_host = "127.0.0.1"', "submission_port = 1", 'submission_tls = "none"', "",
        "[[accounts]]", 'name = "google"', 'address = "ann@gmail.example"', 'way = "gmail"',
        f'gmail_url = "{wise.url}"', f'gmail_token_url = "{wise.url}"', "",
        "[[books]]", 'name = "books"', f'url = "{wise.url}"', 'database = "books"', 'login = "local"',
        f'key_file = "{places["books key"]}"', "",
        "[[payments]]", 'name = "main"', 'way = "wise"', f'url = "{wise.url}"', "profile = 7", 'funding = "balance"',
    ]  # fmt: skip
    config = world.home.config
    config.write_text(config.read_text(encoding="utf-8") + "\n" + "\n".join(lines) + "\n", encoding="utf-8")
    keep(world, "wise.main", PLANTED["payments token"])
    client = {
        "client_id": "a client of the tests", "client_secret": PLANTED["gmail client secret"],
        "refresh_token": PLANTED["gmail refresh token"],
    }  # fmt: skip
    keep(world, "gmail.google", json.dumps(client))
    return places


def test_a_planted_secret_is_found_where_it_is() -> None:
    """The search itself sees every spelling."""
    for name, value in PLANTED.items():
        for one in spellings(value):
            assert name in found_in(b"before " + one + b" after")


def test_no_secret_leaves_its_place_while_everything_that_holds_one_works(world: World, wise: WiseServer) -> None:
    places = plant(world, wise)
    task = world.ask_for(action=transfer())
    mail = world.ask_for("Your offer")
    spoken = world.folder / "service.log"
    argv = [*COMMAND, "run", "--home", str(world.home.path)]
    with spoken.open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as service:
        try:
            until(world._answers, SECONDS)
            assert world.approve(task, "--yes").code == 0
            assert world.approve(mail, "--yes").code == 0
            until(lambda: world.stage(task) is Stage.DONE, SECONDS)
            until(lambda: b"effect.waiting" in spoken.read_bytes(), SECONDS)
            leaks = world.notes / "leaks.md"
            words = [one.decode("ascii", "replace") for value in PLANTED.values() for one in spellings(value)]
            leaks.write_text("\n\n".join(words), encoding="utf-8")
            until(lambda: any("leaks" in str(one) for one in world.run("status", "--json").json["unsynced"]), SECONDS)
            assert found_in(told_by_processes(service.pid)) == []
        finally:
            service.terminate()
            service.wait(30)
        leaks.unlink()
    assert wise.paid == [1000]
    assert found_in(spoken.read_bytes()) == [], "in the service's log"
    assert found_in(everything_of(world.hub)) == [], "in the vault"
    kept_apart = {*places.values(), world.passphrase_file}
    for file in world.folder.rglob("*"):
        if file.is_file() and file not in kept_apart:
            assert found_in(file.read_bytes()) == [], f"in {file}"
    ran = world.run("status", "--json")
    listed = world.run("log", "--json", "--limit", "0")
    assert found_in(f"{ran.out}{ran.err}{listed.out}{listed.err}".encode()) == []


def test_a_crash_report_carries_none_of_them() -> None:
    def fails(secret: str) -> None:
        held = {"token": secret}
        raise RuntimeError(f"cannot use {held}")

    for name, secret in PLANTED.items():
        with pytest.raises(RuntimeError) as caught:
            fails(secret)
        assert name not in found_in(envelope("local_agent", caught.value, "e" * 32, NOW))


def test_what_is_held_back_from_the_vault_holds_every_kind(world: World, wise: WiseServer) -> None:
    plant(world, wise)
    held: OwnSecrets = own_secrets(world.home, world.home.settings())
    for name, value in PLANTED.items():
        if name != "approval passphrase":  # it is nowhere on this machine
            assert held.found_in(f"see {value} here".encode()), name


def test_old_secrets_are_told_once_a_month_by_name_and_never_changed_by_themselves(world: World) -> None:
    now = datetime.now(UTC)
    world.home.credentials.set("wise.main", TOKEN, now=now - timedelta(days=91))
    world.home.credentials.set("gmail.google", TOKEN, now=now - timedelta(days=89))
    assert world.run("status", "--json").json["old_secrets"] == ["wise.main"]
    shown = subprocess.run(
        [*COMMAND, "secrets", "list", "--home", str(world.home.path), "--json"], capture_output=True, encoding="utf-8",
        timeout=60, check=True,
    )  # fmt: skip
    assert json.loads(shown.stdout)["overdue"] == ["wise.main"]
    assert TOKEN not in shown.stdout + shown.stderr
