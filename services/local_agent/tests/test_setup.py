"""`countersign init`: what it makes, that it can be cut off anywhere, and that it never overwrites."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import stat
import subprocess
import termios
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import COMMAND, PASSPHRASE, World, until

from local_agent.home import Home
from local_agent.setup import Wishes, set_up
from local_agent.setup.first_notes import WELCOME, first_notes
from vault_protocol import keys, layout
from vault_protocol.clock import SystemClock
from vault_protocol.errors import VaultError
from vault_protocol.hub import CommitId
from vault_protocol.remote import create
from vault_protocol.sshsig import PublicKey
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Role, Stage
from vault_protocol.testing import TestClock

STEPS = ("approval key", "local key", "private files", "hub", "published", "config")


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    return World(tmp_path, capsys.readouterr)


def commits(world: World) -> int:
    store = GitStore(world.hub)
    return len(store.history(None, store.ref("refs/heads/main") or CommitId("")))


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and ".git" not in str(path)
    }


def test_init_makes_private_keys_a_hub_a_folder_and_the_first_notes(world: World) -> None:
    ran = world.init("--json")
    assert ran.code == 0
    home, made = world.home, ran.json
    assert made["agents"] == ["cloud", "local"]
    assert made["dry_run"] is True
    for path in (home.approval_key, home.local_key, home.secret, home.config, home.pinned, home.executor):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    keys.load(home.approval_key, PASSPHRASE)
    with pytest.raises(keys.KeyLocked):
        keys.load(home.approval_key)
    settings = home.settings()
    assert (settings.vault, settings.owner) == (made["vault"], "Ann Owner")
    assert world.notes.is_dir()
    journal = world.local.vault.journal
    assert journal.head is not None
    assert [path for path, _ in journal.store.paths(journal.head) if "/" not in path] == [
        "Business_Goals.md", "Company_Handbook.md", "Dashboard.md", "Vault.json", "Welcome.md",
    ]  # fmt: skip
    card = json.loads(journal.read(layout.VAULT_CARD) or b"")
    assert card["vault"] == settings.vault
    assert card["agents"]["cloud"]["role"] == "cloud"
    assert card["approval_key"].startswith("ssh-ed25519 ")
    assert commits(world) == 1
    assert "countersign run" in ran.err
    assert world.audit() == ["vault.created"]


def test_a_second_run_says_what_is_there_and_changes_nothing(world: World) -> None:
    world.init()
    before = snapshot(world.folder)
    ran = world.run("init", "--hub", "/elsewhere.git", "--owner", "Somebody Else", "--key-protection", "none", "--yes")
    assert ran.code == 0
    assert "is set up already; nothing was overwritten." in ran.out
    assert world.home.settings().vault in ran.out
    assert snapshot(world.folder) == before
    assert commits(world) == 1


def test_a_second_run_can_pin_one_more_agent_and_never_another_key_for_one(world: World) -> None:
    world.init()
    keys.save(keys.new(), world.folder / "helper", comment="helper")
    ran = world.run("init", "--pin", f"helper={world.folder / 'helper.pub'}", "--json")
    assert ran.json["pinned"] == ["helper"]
    assert world.home.trust("v").keys[AgentId("helper")][0] is Role.CLOUD
    before = world.home.pinned.read_bytes()
    for name in ("cloud", "local"):
        ran = world.run("init", "--pin", f"{name}={world.folder / 'helper.pub'}")
        assert ran.code == 1
    assert world.home.pinned.read_bytes() == before


def test_an_agent_that_was_put_out_is_waited_for_no_more_and_its_key_stays(world: World) -> None:
    world.init()
    keys.save(keys.new(), world.folder / "helper", comment="helper")
    world.run("init", "--pin", f"helper={world.folder / 'helper.pub'}")
    everyone = world.home.trust("v").keys

    ran = world.run("init", "--revoked", "helper", "--json")
    assert (ran.code, ran.json["revoked"]) == (0, ["helper"])
    assert world.home.cloud_agents("v") == ("cloud",)
    assert world.home.trust("v").keys == everyone, "what it wrote is judged by it for ever"

    assert world.run("init", "--revoked", "helper", "--json").json["revoked"] == []
    keys.save(keys.new(), world.folder / "other", comment="other")
    world.run("init", "--pin", f"other={world.folder / 'other.pub'}")
    assert world.home.cloud_agents("v") == ("cloud", "other"), "to pin another brings nobody back"


@pytest.mark.parametrize("name", ["nobody", "local"])
def test_who_is_no_agent_of_the_cloud_is_not_put_out_and_who_is_is_named(world: World, name: str) -> None:
    world.init()
    before = world.home.pinned.read_bytes()
    keys.save(keys.new(), world.folder / "other", comment="other")
    ran = world.run("init", "--pin", f"other={world.folder / 'other.pub'}", "--revoked", name)
    assert ran.code == 1
    assert f"--revoked {name}: no agent of the cloud with this name is pinned here; there are: cloud\n" in ran.err
    assert world.home.pinned.read_bytes() == before


def _set_up_and_die(home: Home, wishes: Wishes, at: str) -> None:
    def step(name: str) -> None:
        if name == at:
            os.kill(os.getpid(), signal.SIGKILL)

    set_up(home, wishes, SystemClock(), step)


@pytest.mark.parametrize("at", STEPS)
def test_a_set_up_that_was_killed_is_finished_by_the_next_one(world: World, at: str) -> None:
    pins = {AgentId("cloud"): keys.load_public(world.folder / "cloud.pub")}
    wishes = Wishes(hub=str(world.hub), folder=world.notes, owner="Ann", passphrase=PASSPHRASE, pins=pins)
    child = multiprocessing.get_context("fork").Process(target=_set_up_and_die, args=(world.home, wishes, at))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    left = snapshot(world.home.path)
    ran = world.init("--json")
    assert ran.code == 0, ran.err
    if at != "config":
        assert ran.json["joined"] is False
    after = snapshot(world.home.path)
    assert {name: after[name] for name in left if "state" not in name} == {
        n: c for n, c in left.items() if "state" not in n
    }
    assert commits(world) == 1
    assert world.run("list").code == 0
    assert world.approve(world.ask_for(), "--yes").code == 0


def test_a_key_without_its_public_half_gets_it_back(world: World) -> None:
    world.init()
    for path in (world.home.config, world.home.path / "keys" / "approval.pub", world.home.path / "keys" / "local.pub"):
        path.unlink()
    assert world.init().code == 0
    assert world.home.approval_public_key() == PublicKey.of(keys.load(world.home.approval_key, PASSPHRASE))


def test_another_passphrase_for_a_key_that_is_there_is_refused(world: World) -> None:
    world.init()
    world.home.config.unlink()
    world.passphrase_file.write_text("something else\n", encoding="utf-8")
    ran = world.init()
    assert ran.code == 1
    assert "another passphrase" in ran.err
    assert "something else" not in ran.err


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--key-protection", "magic"], "passphrase, keyring, fido or none"),
        (["--key-protection", "keyring", "--passphrase-file", "{pass}"], "keyring cannot be used"),
        (["--pin", "Cloud=x"], "AGENT=PUBLIC_KEY_FILE"),
        (["--pin", "other={none}"], "No such file"),
        (["--account-file", "{none}"], "cannot read the accounts"),
        (["--passphrase-file", "{none}"], "cannot read the passphrase file"),
        (["--passphrase-file", "{short}"], "too short"),
        (["--hub", "{folder}"], "is no git repository"),
        (["--hub=-oProxyCommand=x"], "is no address"),
        (["--keys-from", "{none}"], "is no Countersign home"),
    ],
)
def test_a_wrong_wish_is_one_line_and_leaves_no_settings(world: World, flags: list[str], says: str) -> None:
    (world.folder / "short").write_text("1234567\n", encoding="utf-8")
    words = {
        "none": world.folder / "none",
        "short": world.folder / "short",
        "folder": world.folder,
        "pass": world.passphrase_file,
    }
    ran = world.init(*(flag.format(**words) for flag in flags))
    assert ran.code == 1
    assert says in ran.err
    assert ran.err.count("\n") == 1
    assert not world.home.config.exists()


@pytest.mark.parametrize("missing", ["--hub", "--owner", "--passphrase-file"])
def test_without_a_terminal_what_has_no_default_must_be_given(world: World, missing: str) -> None:
    given = {"--hub": str(world.hub), "--owner": "Ann", "--passphrase-file": str(world.passphrase_file)}
    del given[missing]
    ran = world.spawn("init", "--folder", str(world.notes), *(word for pair in given.items() for word in pair))
    assert ran.code == 1
    assert missing in ran.err


def test_an_unencrypted_key_is_warned_about(world: World) -> None:
    ran = world.init("--key-protection", "none", "--json")
    assert "any program that runs as you can countersign" in ran.err
    assert world.run("approve", world.ask_for(), "--yes").code == 0


def test_at_a_terminal_it_asks_for_everything_and_keeps_the_mail_password_private(world: World) -> None:
    answers = [
        ("Hub", str(world.hub)), ("Your name", "Ann Owner"), ("Folder", str(world.notes)),
        ("Public key file", str(world.folder / "cloud.pub")), ("Protect the approval key", ""),
        ("Passphrase for", "too quick"), ("Repeat", "too quick"), ("dry run", "n"), ("Add a mail account?", "y"),
        ("Mail address", "ann@owner.example"), ("Short name", ""),
        ("User name", ""), ("IMAP server", ""), ("Outgoing server", ""), ("Outgoing TLS", "starttls"),
        ("Password", "hunter2 hunter2"), ("Another one?", ""), ("Do you keep books", "y"), ("Address of Odoo", "https://books.owner.example"),
        ("Short name for the books", ""), ("Keep the API key in", ""), ("Database", ""), ("Login", "local"),
        ("Interface", "json-2"), ("API key of that user", "a key of Odoo"),
    ]  # fmt: skip
    ours, theirs = os.openpty()
    argv = [*COMMAND, "init", "--home", str(world.home.path)]
    with subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        seen = b""
        for question, answer in answers:
            while question.encode() not in seen:
                seen += os.read(ours, 4096)
            if question in ("Password", "Passphrase for", "Repeat", "API key of that user"):
                until(lambda: not termios.tcgetattr(ours)[3] & termios.ECHO)
            seen = seen.partition(question.encode())[2]
            os.write(ours, answer.encode() + b"\n")
        while process.poll() is None:
            try:
                seen += os.read(ours, 4096)
            except OSError:
                process.wait(30)
    os.close(ours)
    assert process.returncode == 0, seen
    assert b"too quick" not in seen
    settings = world.home.settings()
    assert (settings.owner, settings.dry_run, settings.folder) == ("Ann Owner", False, world.notes)
    [account] = settings.accounts
    assert (account.imap_host, account.submission_host, account.submission_port) == (
        "imap.owner.example", "smtp.owner.example", 587,
    )  # fmt: skip
    assert account.password() == "hunter2 hunter2"
    assert stat.S_IMODE(account.password_file.stat().st_mode) == 0o600
    [books] = settings.books
    assert (books.name, books.url, books.login, books.interface) == (
        "books", "https://books.owner.example", "local", "json-2",
    )  # fmt: skip
    assert books.access().key == "a key of Odoo"
    assert books.key_file is not None
    assert stat.S_IMODE(books.key_file.stat().st_mode) == 0o600
    assert b"a key of Odoo" not in seen + world.home.config.read_bytes()
    keys.load(world.home.approval_key, "too quick")


def test_a_hub_that_is_there_and_empty_is_used(world: World) -> None:
    create(world.hub)
    assert world.init().code == 0


def test_a_second_machine_joins_with_the_keys_of_the_first_and_is_another_executor(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.init("--no-dry-run")
    task = world.ask_for()
    world.approve(task, "--yes")
    (tmp_path / "second").mkdir()
    other = World(tmp_path / "second", capsys.readouterr)
    flags = ("init", "--hub", str(world.hub), "--folder", str(other.notes), "--owner", "Ann Owner", "--yes")
    stranger = other.run(*flags, "--key-protection", "none")
    assert stranger.code == 1
    assert "--keys-from" in stranger.err
    other.home = Home(tmp_path / "third")
    ran = other.run(*flags, "--keys-from", str(world.home.path), "--json")
    assert ran.code == 0, ran.err
    assert ran.json["joined"] is True
    assert ran.json["vault"] == world.home.settings().vault
    assert ran.json["executor"] != world.local.executor
    assert "approvals given on another machine are void here" in ran.err
    assert other.audit()[-1] == "executor.joined"
    assert other.run("show", task, "--json").json["stage"] == Stage.APPROVED
    assert "on another machine" in other.run("undo", task).err


def test_a_hub_that_holds_something_else_is_left_alone(world: World) -> None:
    create(world.hub)
    store = GitStore(world.hub)
    root = store.commit(None, {"README.md": b"x\n"}, message="x", author=AgentId("x"), at=SystemClock().now())
    store.keep()
    (world.hub / "refs" / "heads" / "main").write_text(root + "\n", encoding="ascii")
    ran = world.init()
    assert ran.code == 1
    assert "holds no vault" in ran.err
    assert commits(world) == 1


def test_a_hub_that_does_not_answer_is_one_line(world: World) -> None:
    ran = world.init("--hub", "http://127.0.0.1:1/hub.git")
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert not world.home.config.exists()


def test_the_first_notes_may_be_published_and_explain_every_folder() -> None:
    notes = first_notes("Ann", TestClock().now(), "Europe/Berlin")
    assert all(layout.name_fault(path, by_agent=True) is None for path in notes)
    welcome = (notes[WELCOME] or b"").decode()
    assert all(f"`{stage.value}/`" in welcome for stage in Stage)
    for content in notes.values():
        assert content is not None
        assert b"@@" not in content
        assert content.endswith(b"\n")


def test_an_owner_whose_name_is_markdown_changes_no_note() -> None:
    handbook = first_notes("[[Evil]] <script>", TestClock().now(), "UTC")[layout.HANDBOOK] or b""
    assert b"[[Evil" not in handbook
    assert b"<script>" not in handbook


def test_set_up_refuses_a_home_that_is_set_up(world: World) -> None:
    world.init()
    with pytest.raises(VaultError, match="set up already"):
        set_up(world.home, Wishes(hub="x", folder=world.notes, owner="x"), SystemClock())
