"""The hub's process: how it is set up, what it tells about itself, and how it ends."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from libs.vault_protocol.tests.made import CLOUD, LOCAL, OTHER, OWNER_KEY, VAULT
from services.vault_hub.tests.hubworld import HubWorld, signed
from services.vault_hub.tests.program import ROOT, Program, program
from services.vault_hub.tests.vacancy import figures

from demo.processes import eventually
from vault_hub import settings as settings_module
from vault_hub.__main__ import main
from vault_protocol import changeset, remote
from vault_protocol.changeset import Trail
from vault_protocol.clock import SystemClock
from vault_protocol.errors import VaultError
from vault_protocol.hub import Accepted, CommitId
from vault_protocol.journal import Journal
from vault_protocol.sshsig import PublicKey
from vault_protocol.store import GitStore

KEY = PublicKey.of(OWNER_KEY).line("owner")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Program]:
    with program(tmp_path / "hub", CLOUD, LOCAL) as found:
        found.start()
        yield found


def test_a_hub_is_set_up_and_its_agents_are_kept_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "hub"
    assert main(["init", "--home", str(home), "--vault", VAULT, "--owner-key", KEY]) == 0
    config = capsys.readouterr().out.strip()
    agent = ["agent", "--config", config]
    public = tmp_path / "cloud.pub"
    public.write_text(PublicKey.of(CLOUD.key).line("cloud-1") + "\n")
    assert main([*agent, "add", "cloud-1", "--standing", "cloud", "--key", str(public)]) == 0
    first = capsys.readouterr().out.strip()
    assert main([*agent, "add", "monitor", "--standing", "reader"]) == 0
    assert main([*agent, "rotate", "cloud-1", "--grace-hours", "1"]) == 0
    second = capsys.readouterr().out.strip()
    assert main([*agent, "revoke", "monitor"]) == 0
    line = PublicKey.of(OTHER.key).line("cloud-2")
    capsys.readouterr()
    for said in ("cloud-2 is let in\n", "cloud-2 was let in before\n"):
        assert main([*agent, "admit", "cloud-2", "ab" * 32, line]) == 0
        assert capsys.readouterr().out == said
    assert main([*agent, "list"]) == 0
    listed = "cloud-1\tcloud\t2 tokens\ncloud-2\tcloud\t1 token\nmonitor\treader\trevoked\n"
    assert capsys.readouterr().out == listed
    assert first != second
    folder = home / "agents"
    assert oct(folder.stat().st_mode)[-3:] == "700"
    assert {oct(path.stat().st_mode)[-3:] for path in folder.iterdir()} == {"600"}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["agent", "add", "x", "--standing", "cloud"], "needs its public key"),
        (["agent", "add", "X", "--standing", "reader"], "no name for an agent"),
        (["agent", "add", "x", "--standing", "cloud", "--key", "ssh-rsa AAAA"], "ssh-rsa"),
        (["agent", "add", "x", "--standing", "cloud", "--key", "nowhere.pub"], "nowhere.pub"),
        (["agent", "admit", "x", "ab", "ssh-rsa AAAA"], "64 digits and letters"),
        (["agent", "admit", "x", "ab" * 32, "ssh-rsa AAAA"], "ssh-rsa"),
        (["agent", "revoke", "x"], "there is no agent 'x'"),
        (["agent", "rotate", "x"], "there is no agent 'x'"),
    ],
)
def test_what_the_operator_gets_wrong_is_one_line_and_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    main(["init", "--home", str(tmp_path / "hub"), "--vault", VAULT, "--owner-key", KEY])
    capsys.readouterr()
    where = ["--config", str(tmp_path / "hub" / "hub.toml")]

    assert main([arguments[0], *where, *arguments[1:]]) == 1

    said = capsys.readouterr().err
    assert why in said
    assert len(said.splitlines()) == 1


def test_what_init_writes_is_what_is_read(tmp_path: Path) -> None:
    with program(tmp_path / "hub", port=18470) as found:
        read = settings_module.read(found.config)
    assert (read.port, read.secrets_dir) == (18470, tmp_path / "hub" / "secrets")
    assert read.secrets_dir.stat().st_mode & 0o777 == 0o700
    assert main(["init", "--home", str(tmp_path / "b"), "--vault", VAULT, "--owner-key", KEY, "--port", "70000"]) == 1
    assert not (tmp_path / "b" / "hub.toml").exists()


@pytest.mark.parametrize(
    ("line", "why"),
    [("port = 70000", "port"), ("prot = 1", "prot"), ("port", "Expected"), ('log_format = "xml"', "log_format")],
)
def test_a_setting_that_is_none_is_named(tmp_path: Path, line: str, why: str) -> None:
    with program(tmp_path / "hub") as found:
        made = found.config.read_text().replace("port = 0\n", "")
        found.config.write_text(made + line + "\n")
        with pytest.raises(VaultError, match=why):
            settings_module.read(found.config)
    with pytest.raises(VaultError, match="there is no such file"):
        settings_module.read(tmp_path / "nowhere.toml")
    assert main(["init", "--home", str(tmp_path / "hub"), "--vault", VAULT, "--owner-key", KEY]) == 1


def test_it_says_that_it_is_well_and_where_the_head_is(running: Program) -> None:
    assert running.get("/healthz") == (200, {"ok": True})
    assert running.get("/readyz") == (200, {"ok": True, "head": None})
    assert running.get("/metrics")[0] == 401


def test_figures_are_open_to_all_where_the_operator_says_so_and_nothing_else_is(tmp_path: Path) -> None:
    with program(tmp_path / "hub") as found:
        found.start("--open-metrics")
        assert b"countersign_hub_publishes" in figures(int(found.url.rpartition(":")[2]))
        assert found.get("/vault.git/info/refs")[0] == 401


def test_figures_are_given_in_prometheus_form_and_every_one_is_documented(hub: HubWorld) -> None:
    hub.begin()
    text = hub.asked("GET", "/metrics", None, {"Authorization": f"Bearer {hub.token('monitor')}"}).raw.decode()
    described = {line.split()[2].removesuffix("_total") for line in text.splitlines() if line.startswith("# HELP ")}

    assert 'countersign_hub_publishes_total{answer="accepted"} 1.0' in text
    assert "countersign_hub_publish_seconds_count 1.0" in text
    documented = (ROOT / "docs" / "hub.md").read_text()
    names = {name for name in described if not name.endswith("_created")}
    assert {name for name in names if f"`{name}" not in documented} == set()


def test_told_to_end_it_ends_the_streams_and_itself_well(running: Program, tmp_path: Path) -> None:
    store, client = running.client(CLOUD.agent, tmp_path / "clone.git")
    client.refresh()
    client.wait(0.01)
    eventually(lambda: client._stream is not None and client._stream.alive, "it listens")
    head = client.publish(signed(CLOUD, store, None, {"Plans/p.md": b"x\n"}), onto=None)
    assert isinstance(head, Accepted)

    assert running.stop() == 0

    client.close()
    assert remote.fsck(running.repository) == ()
    ended = [json.loads(line)["event"] for line in running.log.read_text().splitlines()]
    assert (ended[:2], ended[-1]) == (["secrets.none", "hub.started"], "hub.ended")


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_while_publishes_come_it_answers_what_it_took_and_ends_well(
    running: Program, tmp_path: Path, by: signal.Signals
) -> None:
    """Whoever was told "accepted" finds it there; whoever was not is told nothing untrue."""
    sides = [running.client(who.agent, tmp_path / f"{who.agent}.git") for who in (CLOUD, LOCAL)]

    def go_on(who: int) -> list[str]:
        store, client = sides[who]
        identity, accepted = (CLOUD, LOCAL)[who], []
        journal = Journal(store, client, identity, SystemClock())
        try:
            journal.refresh()
            for number in range(10_000):
                path = f"Plans/{identity.agent}-{number}.md"
                journal.publish("write", "x", lambda head, path=path: {path: b"x\n"})  # type: ignore[misc]
                accepted.append(path)
                if number == 20:
                    assert running.process is not None
                    running.process.send_signal(by)
        except VaultError:
            return accepted
        return accepted

    with ThreadPoolExecutor(2) as threads:
        accepted = [path for paths in threads.map(go_on, (0, 1)) for path in paths]
    assert running.process is not None
    assert running.process.wait(30) == 0
    for _, client in sides:
        client.close()
    listed = subprocess.run(
        ["git", f"--git-dir={running.repository}", "ls-tree", "-r", "--name-only", "main"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip

    assert len(accepted) >= 21
    assert set(accepted) <= set(listed)
    assert len(listed) <= len(accepted) + 2
    assert remote.fsck(running.repository) == ()


def test_two_hubs_never_have_one_repository(running: Program) -> None:
    second = subprocess.run(running.argv(), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert second.returncode == 1
    assert "another hub serves it" in second.stderr.splitlines()[-1]
    assert running.get("/readyz")[0] == 200


def test_a_port_that_is_taken_is_one_line_and_code_1(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        program(tmp_path / "hub", port=taken.getsockname()[1]) as found,
    ):
        done = subprocess.run(found.argv(), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "cannot listen on 127.0.0.1:" in done.stderr.splitlines()[-1]


def test_a_head_moved_behind_its_back_ends_it_and_the_next_start_judges_it(running: Program, tmp_path: Path) -> None:
    store, client = running.client(LOCAL.agent, tmp_path / "clone.git")
    first = signed(LOCAL, store, None, {"Plans/p.md": b"x\n"})
    assert client.publish(first, onto=None) == Accepted(first)
    forged = store.commit(first, {"a.md": b"x"}, message="x\n", author=LOCAL.agent, at=store.when(first))
    subprocess.run(
        ["git", f"--git-dir={store.path}", "push", "--quiet", str(running.repository), f"{forged}:refs/heads/main"],
        check=True,
    )
    client.publish(signed(LOCAL, store, first, {"Plans/q.md": b"x\n"}, trail_after(store, first)), onto=first)
    client.close()

    assert running.process is not None
    assert running.process.wait(30) == 1
    assert "another program moved the head" in running.log.read_text().splitlines()[-1]
    again = subprocess.run(running.argv(), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 1
    assert "is not signed" in again.stderr.splitlines()[-1]


def trail_after(store: GitStore, commit: CommitId) -> Trail:
    return changeset.parse(store.message(commit), vault=VAULT, changes=store.changes(None, commit)).trail


def test_the_help_in_the_documentation_is_what_the_program_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    documented = (ROOT / "docs" / "hub.md").read_text()
    monkeypatch.setenv("COLUMNS", "100")
    for words in (
        [],
        ["init"],
        ["run"],
        ["join-code"],
        ["agent", "--config", "x"],
        ["agent", "--config", "x", "add"],
        ["agent", "--config", "x", "admit"],
    ):
        command = " ".join(["vault_hub", *[word for word in words if word not in ("--config", "x")]])
        with pytest.raises(SystemExit):
            main([*words, "--help"])
        said = capsys.readouterr().out
        assert f"```\n$ {command} --help\n{said}```" in documented, command


def test_it_never_starts_with_a_key_of_nobody(tmp_path: Path) -> None:
    with program(tmp_path / "hub") as found:
        (found.home / "owner.pub").unlink()
        done = subprocess.run(found.argv(), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert "owner.pub" in done.stderr.splitlines()[-1]
