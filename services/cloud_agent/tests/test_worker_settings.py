"""The settings file and the commands: every mistake is one line that names file, key and cure."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cloud_agent import machine
from cloud_agent import settings as settings_file
from cloud_agent.__main__ import main
from cloud_agent.settings import BadSettings
from cloud_agent.watchers.mailbox_settings import MailboxSettings
from vault_protocol import keys
from vault_protocol.alone import AlreadyRunning, alone
from vault_protocol.sshsig import PublicKey

GOOD = """
vault = "v1"
hub = "hub.git"
state_dir = "state"
key_file = "keys/cloud"
secret_file = "secret"
owner_name = "Olive Owner"

[[mailboxes]]
name = "business"
kind = "business"
address = "owner@home.example"
host = "imap.home.example"
port = 993
user = "cloud"
password_file = "passwords/business"
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "cloud.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_paths_begin_at_the_settings_file(tmp_path: Path) -> None:
    settings = settings_file.read(written(tmp_path, GOOD))
    assert settings.state_dir == tmp_path / "state"
    (office,) = settings.mailboxes
    assert isinstance(office, MailboxSettings)
    assert office.password_file == tmp_path / "passwords" / "business"
    assert settings.every_own_address == {"owner@home.example"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("vault =", "vautl ="), "vault is missing; add it"),
        (('owner_name = "Olive Owner"', 'owner_name = "O"\nsmtp_host = "x"'), "smtp_host is no setting"),
        (("port = 993", "port = 99999"), "mailboxes.0.port: Input should be less than or equal to 65535"),
        (("port = 993", ""), "mailboxes.0.port is missing; add it"),
        (('name = "business"', 'name = "1st"'), "mailbox '1st': begin with a letter"),
        (("owner@home.example", "nobody"), "not a mail address"),
        (
            ("[[mailboxes]]", "[drafter]\nprovider = 'openai'\n[[mailboxes]]"),
            "drafter: provider 'openai' needs a model",
        ),
        (("[[mailboxes]]", "[[mailboxes"), "Expected"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    file = written(tmp_path, GOOD.replace(*change, 1))
    with pytest.raises(BadSettings) as raised:
        settings_file.read(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_init_makes_key_and_secret_for_this_user_alone_and_prints_the_line_to_pin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "--home", str(tmp_path / "home")]) == 0
    line = capsys.readouterr().out
    private = [tmp_path / "home" / name for name in ("keys/cloud", "secret")]
    assert [stat.S_IMODE(file.stat().st_mode) for file in private] == [0o600, 0o600]
    assert PublicKey.parse(line.strip()) == PublicKey.of(keys.load(private[0]))
    assert main(["init", "--home", str(tmp_path / "home")]) == 0
    assert capsys.readouterr().out == line


def test_what_was_to_be_expected_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--config", str(tmp_path / "none.toml")]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"cloud_agent: {tmp_path}/none.toml: there is no such file; name the settings with --config FILE"
    ]


def test_a_bug_is_a_traceback_and_exit_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_file, "read", lambda *_: 1 / 0)
    assert main(["run", "--config", "x"]) == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_one_state_folder_serves_one_process(tmp_path: Path) -> None:
    with alone(tmp_path, "agent"), pytest.raises(AlreadyRunning), alone(tmp_path, "agent"):
        pass
    with alone(tmp_path, "agent"):
        pass


def test_the_passwords_of_the_mailboxes_are_secrets_that_are_never_published(tmp_path: Path) -> None:
    settings = settings_file.read(written(tmp_path, GOOD))
    (tmp_path / "passwords").mkdir()
    (tmp_path / "passwords" / "business").write_text("correct horse\n")
    found = machine.own_secrets(settings, b"\x01" * 32)
    assert found.found_in(b"it is correct horse, they say")
    assert found.found_in(b"01" * 32)
    assert not found.found_in(b"nothing")


def test_a_hub_on_this_machine_is_given_every_secret_that_this_agent_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, folder = written(tmp_path, GOOD), tmp_path / "hub" / "secrets"
    settings = settings_file.read(config)
    (tmp_path / "passwords").mkdir()
    (tmp_path / "passwords" / "business").write_text("correct horse\n")
    settings.secret_file.write_text("01" * 32)
    folder.mkdir(parents=True)
    (folder / "cloud.drafter").write_text("of an agent that drafted by itself\n")
    (folder / "cloud-2.drafter").write_text("another's\n")

    assert main(["secrets", "--config", str(config), "--into", str(folder)]) == 0

    held = {path.name: path.read_text().strip() for path in folder.iterdir()}
    assert held.pop("cloud-2.drafter") == "another's"
    assert sorted(held) == capsys.readouterr().out.split()
    assert set(held.values()) == {"correct horse", "01" * 32}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir() if path.name in held} == {0o600}


@pytest.mark.parametrize("how", ["json", "key-value"])
def test_the_log_is_one_event_a_line_on_stderr(how: str) -> None:
    code = (
        f"import structlog; from cloud_agent.machine import log_to_stderr; log_to_stderr({how!r});"
        "structlog.get_logger().info('task.claimed', task='a', attempt=1)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    if how == "json":
        assert json.loads(line)["event"] == "task.claimed"
    else:
        assert "event='task.claimed' task='a' attempt=1" in line
