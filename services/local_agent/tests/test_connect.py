"""`countersign connect`: from an empty home to a vault on a hub that was nobody's, and nothing said to a false one."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import Ran, World
from services.vault_hub.tests.vacancy import Vacancy, vacancy

from demo.cable import cable
from demo.certificates import self_signed
from local_agent.presence import Presence
from local_agent.setup import joining
from local_agent.setup.begin import Begun
from vault_protocol import keys
from vault_protocol.join_code import JoinCode
from vault_protocol.sshsig import PublicKey
from vault_protocol.testing import TestClock


@pytest.fixture
def vacant(tmp_path: Path) -> Iterator[Vacancy]:
    with vacancy(tmp_path) as found:
        yield found


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    return World(tmp_path, capsys.readouterr)


def connect(world: World, url: str, code: str, *flags: str) -> Ran:
    return world.run(
        "connect", url, "--code", code, "--folder", str(world.notes), "--owner", "Ann Owner", "--yes",
        "--passphrase-file", str(world.passphrase_file), *flags,
    )  # fmt: skip


def test_an_empty_home_joins_over_tls_by_the_authority_that_the_code_names(vacant: Vacancy, world: World) -> None:
    context, certificate = self_signed(world.folder)
    with cable(vacant.port, context) as line:
        url = f"https://127.0.0.1:{line.port}"
        code = vacant.code("--ca-stdin", feed=certificate.read_text())

        ran = connect(world, url, code, "--json")

        assert ran.code == 0, ran.err
        assert (ran.json["hub"], ran.json["joined"], ran.json["agents"]) == (url, False, ["cloud", "local"])
        assert world.home.hub_ca.read_text() == certificate.read_text()
        assert stat.S_IMODE(world.home.hub_token.stat().st_mode) == 0o600
        assert world.run("status", "--json").json["hub"] == "ok"


def test_who_joins_is_told_where_its_monitors_hear_it_and_nothing_that_is_not_on_the_hubs_address(
    vacant: Vacancy, world: World
) -> None:
    context, certificate = self_signed(world.folder)
    path = "/api/push/" + "a1" * 16
    given = f"local {path}\nbackup-pull {path}b\nanother {path}c\n\n{certificate.read_text()}"
    with cable(vacant.port, context) as line:
        url = f"https://127.0.0.1:{line.port}"
        assert connect(world, url, vacant.code("--monitors-stdin", "--ca-stdin", feed=given)).code == 0
    told = world.home.ping("local")
    assert (told.read_text(), stat.S_IMODE(told.stat().st_mode)) == (f"{url}{path}\n", 0o600)
    assert world.home.ping("backup-pull").read_text() == f"{url}{path}b\n"
    assert sorted(file.name for file in world.home.path.glob("ping-*")) == ["ping-backup-pull", "ping-local"]
    presence = Presence(world.home, world.home.settings(), TestClock())
    presence.start()
    assert "presence" in {thread.name for thread in threading.enumerate()}
    presence.stop()


@pytest.mark.parametrize("path", ["//elsewhere.example/api/push/" + "a" * 32, "@elsewhere.example", "/api/push/x y", 7])
def test_a_hub_that_names_another_address_for_a_monitor_is_not_believed(
    path: object, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    said = {"token": "t0ken", "agents": {}, "monitors": {"local": path}}
    monkeypatch.setattr(joining, "_asked", lambda *_, **__: said)
    key = keys.new()
    begun = Begun(PublicKey.of(key), PublicKey.of(key), "executor-1", "vault-1")
    assert joining.join("https://hub.example", JoinCode("a" * 12), "", begun).monitors == {}


def test_a_hub_that_did_not_make_the_code_is_told_nothing(vacant: Vacancy, world: World) -> None:
    context, certificate = self_signed(world.folder)
    code = vacant.code("--ca-stdin", feed=certificate.read_text())
    false = code[:-1] + ("a" if code[-1] != "a" else "b")
    with cable(vacant.port, context) as line:
        ran = connect(world, f"https://127.0.0.1:{line.port}", false)
    assert (ran.code, "is not the hub that made this code" in ran.err) == (1, True)
    assert not world.home.config.exists()
    assert vacant.join(code)[0] == 200, "the code was not used up"


def test_without_an_authority_in_the_code_the_system_has_to_know_the_certificate(vacant: Vacancy, world: World) -> None:
    context, _ = self_signed(world.folder)
    code = vacant.code()
    with cable(vacant.port, context) as line:
        ran = connect(world, f"https://127.0.0.1:{line.port}", code)
    assert (ran.code, "its certificate does not hold here" in ran.err) == (1, True)
    assert vacant.join(code)[0] == 200, "the code was not used up"


def test_who_left_is_not_let_in_and_joins_again_with_a_new_code(vacant: Vacancy, world: World) -> None:
    assert connect(world, vacant.url, vacant.code()).code == 0
    token = world.home.hub_token.read_text()

    assert "Left " in world.run("disconnect", "--yes").out

    assert "the token is wrong or was revoked" in world.spawn("status", "--json").json["hub"]
    ran = connect(world, vacant.url, "abcd-efgh-ijkl")
    assert (ran.code, "nobody" in ran.err or "opens nothing" in ran.err) == (1, True)
    assert connect(world, vacant.url, vacant.code()).code == 0
    assert world.home.hub_token.read_text() != token
    assert world.run("status", "--json").json["hub"] == "ok"


@pytest.mark.parametrize(
    ("url", "code", "says"),
    [
        ("https://hub.example/path", "abcd-efgh-ijkl", "is no hub's address"),
        ("http://hub.example", "abcd-efgh-ijkl", "by https"),
        ("http://127.0.0.1:1", "abcd-efgh-ijkl", "does not answer"),
        ("http://127.0.0.1:1", "abcd", "is no join code"),
    ],
)
def test_what_can_be_expected_to_go_wrong_is_one_line(world: World, url: str, code: str, says: str) -> None:
    ran = connect(world, url, code)
    assert (ran.code, says in ran.err) == (1, True), ran.err
    assert len(ran.err.splitlines()) <= 2
