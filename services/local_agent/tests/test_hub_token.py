"""The hub's token lies in the OS keyring where there is one: through connect, a new token, and disconnect."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.keyrings import ForgetfulKeyring, MemoryKeyring, keyring_of
from services.local_agent.tests.test_connect import connect
from services.vault_hub.tests.vacancy import Vacancy, vacancy

from local_agent import hub_token, os_keyring
from local_agent.assemble import own_secrets


@pytest.fixture
def vacant(tmp_path: Path) -> Iterator[Vacancy]:
    with vacancy(tmp_path) as found:
        yield found


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    return World(tmp_path, capsys.readouterr)


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    ring = MemoryKeyring()
    with keyring_of(ring):
        yield ring


def test_a_machine_that_joins_keeps_its_token_in_the_keyring_and_in_no_file(
    vacant: Vacancy, world: World, ring: MemoryKeyring
) -> None:
    assert "in the OS keyring" in connect(world, vacant.url, vacant.code()).out
    settings = world.home.settings()
    (((service, entry), token),) = ring.kept.items()
    assert (service, entry) == ("countersign", settings.hub_token_entry)
    assert settings.hub_token_file is None
    assert world.run("status", "--json").json["hub"] == "ok"
    holding = [file for file in world.home.path.rglob("*") if file.is_file() and token.encode() in file.read_bytes()]
    assert (holding, world.home.hub_token.exists()) == ([], False)
    assert own_secrets(world.home, settings).found_in(f"see {token}".encode()), "and no commit may hold it"


def test_a_new_token_takes_the_old_ones_place_and_leaving_forgets_it(
    vacant: Vacancy, world: World, ring: MemoryKeyring
) -> None:
    connect(world, vacant.url, vacant.code())
    first = dict(ring.kept)
    assert connect(world, vacant.url, vacant.code()).code == 0
    assert ring.kept.keys() == first.keys()
    assert ring.kept != first
    assert world.run("status", "--json").json["hub"] == "ok"
    assert world.run("disconnect", "--yes").code == 0
    assert ring.kept == {}
    assert world.home.hub_token.read_text().strip() == hub_token.LEFT
    assert "the token is wrong or was revoked" in world.run("status", "--json").json["hub"]
    assert connect(world, vacant.url, vacant.code()).code == 0
    assert ring.kept.keys() == first.keys()
    assert not world.home.hub_token.exists()
    assert world.run("status", "--json").json["hub"] == "ok"


def test_a_token_that_is_given_as_a_file_goes_into_the_keyring_too(
    vacant: Vacancy, world: World, ring: MemoryKeyring, tmp_path: Path
) -> None:
    connect(world, vacant.url, vacant.code())
    (tmp_path / "given").write_text("another-token\n")
    assert "is replaced" in world.run("init", "--hub-token-file", str(tmp_path / "given")).out
    assert list(ring.kept.values()) == ["another-token"]
    assert not world.home.hub_token.exists()


def test_without_the_keyring_that_has_the_token_it_is_said_how_to_get_another(
    vacant: Vacancy, world: World, ring: MemoryKeyring
) -> None:
    connect(world, vacant.url, vacant.code())
    ring.kept.clear()
    ran = world.run("list")
    assert (ran.code, len(ran.err.splitlines())) == (1, 1)
    assert "countersign connect" in ran.err
    with keyring_of(ForgetfulKeyring()):
        assert connect(world, vacant.url, vacant.code()).code == 0, "the keyring is away: the file takes its place"
        assert world.run("status", "--json").json["hub"] == "ok"


class _Silent(KeyringBackend):
    """Asks its owner, who is not there."""

    priority = 1

    def __init__(self) -> None:
        self.over = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        self.over.wait(60)


def test_a_keyring_that_keeps_nothing_or_never_answers_is_none(world: World) -> None:
    with keyring_of(ForgetfulKeyring()):
        assert not os_keyring.offered("x", "secret")
    silent = _Silent()
    with keyring_of(silent):
        assert not os_keyring.offered("x", "secret", seconds=0.05)
        silent.over.set()
    os_keyring.forget("x")  # the machine of the tests has none


def test_of_a_kill_before_the_settings_were_written_the_file_is_left_to_go_on_with(
    vacant: Vacancy, world: World, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("local_agent.setup.config.render", killed)
        connect(world, vacant.url, vacant.code())
    assert world.home.hub_token.exists()
    assert not world.home.config.exists()
    ran = world.run(
        "init", "--hub", vacant.url, "--folder", str(world.notes), "--owner", "Ann Owner", "--yes",
        "--passphrase-file", str(world.passphrase_file),
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert world.run("status", "--json").json["hub"] == "ok"
    assert not world.home.hub_token.exists()
