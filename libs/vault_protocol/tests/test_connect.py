"""The way to a resident hub: who is let in, over what, and in which words somebody is told that they are not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from libs.vault_protocol.tests.hubs import Resident
from libs.vault_protocol.tests.made import CLOUD, LOCAL

from demo.cable import cable
from demo.certificates import self_signed
from vault_hub.agents import Agents
from vault_protocol.connect import connect
from vault_protocol.errors import HubDenied, HubUnreachable, VaultError
from vault_protocol.hub import Accepted, Broken, Hub
from vault_protocol.remote import Remote
from vault_protocol.store import GitStore


@pytest.fixture
def token_file(resident: Resident) -> Path:
    file = resident.folder / "token"
    file.write_text(resident.running.tokens[LOCAL.agent] + "\n", encoding="ascii")
    return file


@pytest.fixture
def opened() -> Iterator[list[Hub]]:
    """Closed after the test."""
    found: list[Hub] = []
    yield found
    for hub in found:
        hub.close()


def agents(resident: Resident) -> Agents:
    assert resident.running.hub is not None
    return resident.running.hub.agents


def look_again(resident: Resident) -> None:
    """As a second later: the hub looks into the folder once a second."""
    agents(resident)._looked = -1.0


def test_without_a_token_the_hub_is_a_plain_git_remote(tmp_path: Path) -> None:
    assert isinstance(connect(GitStore(tmp_path / "a.git"), str(tmp_path / "hub.git")), Remote)
    with pytest.raises(VaultError, match="also needs hub_token_file"):
        connect(GitStore(tmp_path / "a.git"), "https://hub.example", ca_file=tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://hub.example", "a hub is reached by https, or by http on this machine alone"),
        ("http://10.0.0.7:8470", "a hub is reached by https, or by http on this machine alone"),
        ("https://hub.example/vault.git", "a resident hub's address is https://HOST or https://HOST:PORT"),
        ("https://cloud:secret@hub.example", "a resident hub's address is"),
        ("https://hub.example:port", "a resident hub's address is"),
        ("git@hub.example:vault.git", "a resident hub's address is"),
        ("/srv/hub.git", "a resident hub's address is"),
    ],
)
def test_an_address_that_would_not_be_safe_is_refused_before_anything_is_said(
    tmp_path: Path, address: str, says: str
) -> None:
    (tmp_path / "token").write_text("t0ken", encoding="ascii")
    with pytest.raises(VaultError, match=says):
        connect(GitStore(tmp_path / "a.git"), address, token_file=tmp_path / "token")


def test_a_password_in_an_address_is_not_said_again(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken", encoding="ascii")
    with pytest.raises(VaultError) as refused:
        connect(GitStore(tmp_path / "a.git"), "https://cloud:hunter2@hub.example", token_file=tmp_path / "token")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "says"), [(None, "cannot read .*: No such file"), ("\n", "holds no token"), ("a b", "holds no token")]
)
def test_a_token_file_that_holds_none_is_named(tmp_path: Path, content: str | None, says: str) -> None:
    if content is not None:
        (tmp_path / "token").write_text(content, encoding="ascii")
    with pytest.raises(VaultError, match=f"hub_token_file: .*{says}"):
        connect(GitStore(tmp_path / "a.git"), "https://hub.example", token_file=tmp_path / "token")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    (tmp_path / "token").write_text("t0ken", encoding="ascii")
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content, encoding="ascii")
    with pytest.raises(VaultError, match="hub_ca_file: cannot use"):
        connect(GitStore(tmp_path / "a.git"), "https://h.example", token_file=tmp_path / "token", ca_file=ca_file)


def test_a_wrong_and_a_revoked_token_open_nothing_and_are_told_apart_from_a_hub_that_is_away(
    resident: Resident, token_file: Path, opened: list[Hub]
) -> None:
    store = GitStore(resident.folder / "mine.git")
    head = resident.side().published()
    opened.append(mine := connect(store, resident.running.url, token_file=token_file))
    assert mine.refresh() == head
    agents(resident).revoke(LOCAL.agent)
    look_again(resident)

    with pytest.raises(HubDenied, match="does not let us in: the token is wrong or was revoked"):
        mine.refresh()
    answer = mine.publish(head, onto=None)
    assert isinstance(answer, Broken)
    assert answer.reason.count("does not let us in") == 1
    token_file.write_text("wrong", encoding="ascii")
    opened.append(another := connect(store, resident.running.url, token_file=token_file))
    with pytest.raises(HubDenied, match="the token is wrong or was revoked"):
        another.refresh()
    resident.leave()
    with pytest.raises(HubUnreachable, match="does not answer: Connection refused") as away:
        mine.refresh()
    assert not isinstance(away.value, HubDenied)


def test_a_rotated_token_is_read_again_without_a_restart(
    resident: Resident, token_file: Path, opened: list[Hub]
) -> None:
    store = GitStore(resident.folder / "mine.git")
    head = resident.side(CLOUD.agent).hub.refresh()
    opened.append(mine := connect(store, resident.running.url, token_file=token_file))
    mine.refresh()
    token_file.write_text(agents(resident).rotate(LOCAL.agent, grace=timedelta(0)), encoding="ascii")
    look_again(resident)

    commit = resident.sides[0].commit(head)
    parcel_in(store, resident.sides[0].store, commit)
    assert mine.publish(commit, onto=head) == Accepted(commit)


def parcel_in(mine: GitStore, theirs: object, commit: str) -> None:
    """The other side's commit in our store too."""
    assert isinstance(theirs, GitStore)
    theirs.keep()
    (mine.path / "objects" / "info").mkdir(exist_ok=True)
    (mine.path / "objects" / "info" / "alternates").write_text(f"{theirs.path / 'objects'}\n", encoding="utf-8")
    assert GitStore(mine.path).has(commit)  # type: ignore[arg-type]


def test_over_tls_only_a_certificate_that_is_trusted_is_talked_to(
    resident: Resident, token_file: Path, opened: list[Hub]
) -> None:
    head = resident.side().published()
    server, certificate = self_signed(resident.folder)
    with cable(resident.running.port, server) as tls:
        address = f"https://127.0.0.1:{tls.port}"
        opened.append(unsure := connect(GitStore(resident.folder / "a.git"), address, token_file=token_file))
        with pytest.raises(HubDenied, match=r"certificate does not hold here .*hub_ca_file names who signed it"):
            unsure.refresh()
        assert isinstance(unsure.publish(head, onto=None), Broken)
        store = GitStore(resident.folder / "b.git")
        opened.append(sure := connect(store, address, token_file=token_file, ca_file=certificate))
        assert sure.refresh() == head
        opened.append(wrong_name := connect(
            GitStore(resident.folder / "c.git"), f"https://localhost:{tls.port}", token_file=token_file,
            ca_file=certificate,
        ))  # fmt: skip
        with pytest.raises(HubDenied, match="certificate does not hold"):
            wrong_name.refresh()
        sure.close()
