"""The owner's machine joins with a code: once, in time, and only the machine whose vault it is comes again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from libs.vault_protocol.tests.made import CLOUD, OTHER, OWNER_KEY, VAULT
from services.vault_hub.tests.vacancy import CLOUDS_TOKEN, Vacancy, figures, vacancy

from demo.processes import eventually
from vault_hub.invitation import TRIES, Invitations
from vault_protocol.errors import VaultError
from vault_protocol.join_code import JoinCode
from vault_protocol.keys import load_public
from vault_protocol.sshsig import PublicKey
from vault_protocol.testing import TestClock


@pytest.fixture
def vacant(tmp_path: Path) -> Iterator[Vacancy]:
    with vacancy(tmp_path) as found:
        yield found


def test_the_first_owner_who_joins_makes_the_hub_theirs_and_clouds_token_opens_it(vacant: Vacancy) -> None:
    assert vacant.asked("GET", "/healthz") == (200, {"ok": True, "waiting": "owner"})
    assert vacant.asked("GET", "/v1/join")[0] == 404
    assert b"countersign_hub_publishes" in figures(vacant.port)

    status, joined = vacant.join(vacant.code())

    cloud = PublicKey.of(CLOUD.key).line("cloud")
    assert (status, joined["vault"], joined["agents"]) == (200, VAULT, {"cloud": cloud})
    eventually(vacant.has_owner, "the hub runs", seconds=60)
    assert b"countersign_hub_head_age_seconds" in figures(vacant.port)
    for token in (joined["token"], CLOUDS_TOKEN):
        assert vacant.asked("POST", "/v1/changes", {"have": []}, token)[0] == 200
    introduction = vacant.folder / "introduction"
    assert (introduction / "vault").read_text() == f"{VAULT}\n"
    assert load_public(introduction / "owner.pub") == PublicKey.of(OWNER_KEY)


def test_with_each_code_come_the_monitors_that_its_maker_named(vacant: Vacancy) -> None:
    path = "/api/push/" + "0f" * 16
    code = vacant.code("--monitors-stdin", feed=f"local {path}\n\n")
    assert vacant.join(code)[1]["monitors"] == {"local": path}
    eventually(vacant.has_owner, "the hub runs", seconds=60)
    assert vacant.join(vacant.code("--monitors-stdin", feed=f"briefing {path}\n"))[1]["monitors"] == {"briefing": path}
    assert vacant.join(vacant.code())[1]["monitors"] == {}


def test_a_monitor_elsewhere_is_no_monitor(tmp_path: Path) -> None:
    for path in ("https://elsewhere.example/api/push/" + "0f" * 16, "/api/push/x", "/v1/leave"):
        with pytest.raises(VaultError, match="NAME /api/push/TOKEN"):
            Invitations(tmp_path / "invitation.json", TestClock().now).make(
                lasts=timedelta(minutes=1), ca="", companions={}, monitors={"local": path}
            )


def test_a_code_opens_once_and_a_wrong_one_never(vacant: Vacancy) -> None:
    code = vacant.code()
    assert vacant.join("abcd-efgh-ijkl")[1]["rule"] == "join"
    assert vacant.join("nonsense")[0] == 400
    assert vacant.join(code, vault='x"\nport = 1')[0] == 400
    assert not vacant.config.exists()
    assert vacant.join(code)[0] == 200
    eventually(vacant.has_owner, "the hub runs", seconds=60)
    assert vacant.join(code)[0] == 403


def test_the_owners_machine_comes_again_and_its_old_token_is_void_and_no_other_machine_does(vacant: Vacancy) -> None:
    first = vacant.join(vacant.code())[1]["token"]
    eventually(vacant.has_owner, "the hub runs", seconds=60)

    stranger = PublicKey.of(OTHER.key).line("local")
    status, said = vacant.join(vacant.code(), local_key=stranger)
    assert (status, "bring that machine's keys" in said["reason"]) == (409, True)
    assert vacant.join(vacant.code(), owner_key=stranger)[0] == 409
    assert vacant.asked("POST", "/v1/changes", {"have": []}, first)[0] == 200

    status, joined = vacant.join(vacant.code(), vault="another-id-that-would-begin-here")
    assert (status, joined["vault"]) == (200, VAULT)
    assert vacant.asked("POST", "/v1/changes", {"have": []}, joined["token"])[0] == 200
    eventually(
        lambda: vacant.asked("POST", "/v1/changes", {"have": []}, first)[0] == 401, "the old one is void", seconds=30
    )

    assert vacant.asked("POST", "/v1/leave", {}, joined["token"]) == (200, {"answer": "left", "agent": "local"})
    assert vacant.asked("POST", "/v1/leave", {}, joined["token"])[0] == 401


def test_a_code_is_good_for_its_time_and_for_so_many_tries(tmp_path: Path) -> None:
    clock = TestClock()
    invitations = Invitations(tmp_path / "invitation.json", clock.now)
    wrong = JoinCode("a" * 12)

    code = invitations.make(lasts=timedelta(minutes=15), ca="", companions={})
    assert code.secret not in (tmp_path / "invitation.json").read_text()
    clock.tick(timedelta(minutes=16))
    assert invitations.redeem(code) is None

    code = invitations.make(lasts=timedelta(minutes=15), ca="", companions={})
    assert [invitations.redeem(wrong) for _ in range(TRIES - 1)] == [None] * (TRIES - 1)
    assert invitations.redeem(code) is not None
    code = invitations.make(lasts=timedelta(minutes=15), ca="", companions={})
    assert [invitations.redeem(wrong) for _ in range(TRIES)] == [None] * TRIES
    assert invitations.redeem(code) is None


def test_a_code_that_many_bring_at_once_opens_once_and_a_wrong_try_brings_it_not_back(tmp_path: Path) -> None:
    for number in range(30):
        invitations = Invitations(tmp_path / f"{number}.json", TestClock().now)
        code = invitations.make(lasts=timedelta(minutes=15), ca="", companions={})
        wrong = JoinCode("a" * 12)
        with ThreadPoolExecutor(12) as pool:
            opened = [found for found in pool.map(invitations.redeem, [wrong, code] * 6) if found is not None]
        assert len(opened) == 1
        assert invitations.redeem(code) is None
