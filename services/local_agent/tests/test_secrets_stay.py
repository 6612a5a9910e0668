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
from services.local_agent.tests.networks.whatsapp import PHONE_ID, WhatsAppServer
from services.local_agent.tests.test_whatsapp_webhook import free_port
from services.local_agent.tests.transferring import transfer
from services.local_agent.tests.wise_server import TOKEN, WiseServer

from demo.mastodon import MastodonServer
from local_agent.assemble import assemble, own_secrets
from local_agent.rotation import BETWEEN, MONTH, Reminder
from vault_protocol.action import PublishPost, SendWhatsApp
from vault_protocol.crashes import envelope
from vault_protocol.scan import OwnSecrets
from vault_protocol.task import Stage
from vault_protocol.testing import TestClock

SECONDS = 90
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PLANTED = {
    "mail password": 'mail-pass "word" 9931 äß',
    "books key": "b00ks-key-5f2a77c1d9e04b",
    "payments token": TOKEN,
    "social token": MastodonServer.token,
    "whatsapp token": "EAAG-whatsapp-token-55310c",
    "whatsapp app secret": "app-secret-90aa41c7",
    "whatsapp verify token": "verify-token-27dd08",
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


@pytest.fixture
def mastodon() -> Iterator[MastodonServer]:
    server = MastodonServer()
    with server:
        yield server


@pytest.fixture
def whatsapp() -> Iterator[WhatsAppServer]:
    server = WhatsAppServer()
    with server:
        server.token = PLANTED["whatsapp token"]
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


def plant(world: World, wise: WiseServer, mastodon: MastodonServer, whatsapp: WhatsAppServer) -> dict[str, Path]:
    """One account of every kind; where each secret may lie, for those that lie in a file of the owner's."""
    in_files = ("mail password", "books key", "social token", "whatsapp token")
    places = {name: world.folder / name.replace(" ", "-") for name in in_files}
    for name, path in places.items():
        path.write_text(PLANTED[name] + "\n", encoding="utf-8")
    keys = {"app_secret": PLANTED["whatsapp app secret"], "verify_token": PLANTED["whatsapp verify token"]}
    places["webhook"] = world.folder / "webhook"
    places["webhook"].write_text(json.dumps(keys), encoding="utf-8")
    lines = [
        "[[accounts]]", 'name = "business"', 'address = "ann@owner.example"', 'user = "ann"',
        f'password_file = "{places["mail password"]}"', 'imap_host = "127.0.0.1"', "imap_port = 1", 'imap_tls = "none"',
        'submission_host = "127.0.0.1"', "submission_port = 1", 'submission_tls = "none"', "",
        "[[accounts]]", 'name = "google"', 'address = "ann@gmail.example"', 'way = "gmail"',
        f'gmail_url = "{wise.url}"', f'gmail_token_url = "{wise.url}"', "",
        "[[books]]", 'name = "books"', f'url = "{wise.url}"', 'database = "books"', 'login = "local"',
        f'key_file = "{places["books key"]}"', "",
        "[[payments]]", 'name = "main"', 'way = "wise"', f'url = "{wise.url}"', "profile = 7", 'funding = "balance"',
        "", "[[social]]", 'name = "able"', 'network = "mastodon"', f'url = "{mastodon.url}"',
        f'secret_file = "{places["social token"]}"', "",
        "[[whatsapp]]", 'name = "phone"', 'way = "cloud"', 'number = "+4915112345678"', f'phone_id = "{PHONE_ID}"',
        f'url = "{whatsapp.url}"', f'secret_file = "{places["whatsapp token"]}"',
        f"webhook_port = {free_port()}", f'webhook_file = "{places["webhook"]}"',
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


def test_no_secret_leaves_its_place_while_everything_that_holds_one_works(
    world: World, wise: WiseServer, mastodon: MastodonServer, whatsapp: WhatsAppServer
) -> None:
    places = plant(world, wise, mastodon, whatsapp)
    task = world.ask_for(action=transfer())
    mail = world.ask_for("Your offer")
    post = world.ask_for(action=PublishPost(account="able", network="mastodon", text="We moved.\n"))
    chat = world.ask_for(action=SendWhatsApp(account="phone", to="+4915187654321", answers="wamid.77", text="Yes.\n"))
    spoken = world.folder / "service.log"
    argv = [*COMMAND, "run", "--home", str(world.home.path)]
    with spoken.open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as service:
        try:
            until(world._answers, SECONDS)
            assert world.approve(task, "--yes").code == 0
            assert world.approve(mail, "--yes").code == 0
            assert [world.approve(one, "--yes").code for one in (post, chat)] == [0, 0]
            until(lambda: all(world.stage(one) is Stage.DONE for one in (task, post, chat)), SECONDS)
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
    assert (wise.paid, mastodon.shown(), whatsapp.shown()) == ([1000], ["We moved."], ["Yes."])
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


def test_what_is_held_back_from_the_vault_holds_every_kind(
    world: World, wise: WiseServer, mastodon: MastodonServer, whatsapp: WhatsAppServer
) -> None:
    plant(world, wise, mastodon, whatsapp)
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


def reminded(world: World) -> int:
    told = world.local.vault.journal.read("Updates/local/recent.md") or b""
    return told.count(b"secrets_are_old")


def test_the_reminder_is_a_line_on_the_dashboard_once_a_month_while_something_is_old(world: World) -> None:
    clock = TestClock(datetime.now(UTC))
    local = assemble(world.home, clock)
    local.vault.refresh()
    reminder = Reminder(world.home, local.settings, local.vault)
    assert (reminder.step(), reminded(world)) == (False, 0)
    world.home.credentials.set("wise.main", TOKEN, now=clock.now() - timedelta(days=90))
    assert not reminder.step(), "the ages are looked at once an hour"
    clock.tick(BETWEEN)
    assert (reminder.step(), reminded(world)) == (True, 1)
    for _ in range(3):
        clock.tick(timedelta(days=9))
        assert not Reminder(world.home, local.settings, local.vault).step(), "also after a new start"
    clock.tick(MONTH - timedelta(days=27))
    assert (reminder.step(), reminded(world)) == (True, 2)
    world.home.credentials.set("wise.main", TOKEN, now=clock.now())
    clock.tick(MONTH)
    assert (reminder.step(), reminded(world)) == (False, 2)
    assert TOKEN.encode() not in everything_of(world.hub)


def test_the_age_of_a_network_s_secret_counts_too(
    world: World, wise: WiseServer, mastodon: MastodonServer, whatsapp: WhatsAppServer
) -> None:
    places = plant(world, wise, mastodon, whatsapp)
    old = (datetime.now(UTC) - timedelta(days=90)).timestamp()
    for name in ("social token", "whatsapp token", "webhook"):
        os.utime(places[name], (old, old))
    assert world.run("status", "--json").json["old_secrets"] == [
        "social able", "whatsapp phone", "whatsapp phone: webhook",
    ]  # fmt: skip
