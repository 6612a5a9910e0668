"""config.toml: whatever the owner types comes back as it was, and one key changes without the others."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_agent.home import Settings
from local_agent.mail_account import MailAccount
from local_agent.setup import config
from vault_protocol.errors import VaultError

ACCOUNT = """\
[[accounts]]
name = "business"
address = "me@home.example"
user = "me"
password_file = "passwords/business"
imap_host = "imap.home.example"
submission_host = "smtp.home.example"
"""


def settings(owner: str = "Ann", **more: object) -> Settings:
    return Settings.model_validate({"vault": "v", "hub": "/hub.git", "folder": "/notes", "owner": owner, **more})


@given(
    st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
def test_any_text_survives_the_file(owner: str, folder: str) -> None:
    wished = settings(owner, folder=Path("/" + folder.replace("\0", "")))
    assert Settings.model_validate(tomllib.loads(config.render(wished))) == wished


def test_half_a_character_is_refused() -> None:
    with pytest.raises(VaultError, match="half a character"):
        config.render(settings("\ud800"))


def test_accounts_survive_the_file(tmp_path: Path) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(ACCOUNT, encoding="utf-8")
    accounts = config.read_accounts(file)
    assert accounts[0].password_file == tmp_path / "passwords" / "business"
    wished = settings(accounts=accounts)
    assert Settings.model_validate(tomllib.loads(config.render(wished))) == wished


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ACCOUNT + ACCOUNT, "the same name"),
        (ACCOUNT + 'password = "hunter2hunter2"\n', "Extra inputs"),
        (ACCOUNT.replace('"me"', "7"), "accounts.0.user"),
        ("accounts = 3\n", "accounts"),
        ("[[accounts]\n", "cannot read the accounts"),
        ("", "accounts"),
    ],
)
def test_a_wrong_account_file_is_told_without_its_values(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(VaultError) as told:
        config.read_accounts(file)
    assert says in str(told.value)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("dry_run = true\n", "dry_run = false\n"),
        ("# mine\n dry_run=true # why\nvault = 'v'\n", "# mine\n dry_run=false # why\nvault = 'v'\n"),
        ("vault = 'v'\n", "vault = 'v'\ndry_run = false\n"),
        ("vault = 'v'", "vault = 'v'\ndry_run = false\n"),
        ("a = 1\n\n[limits]\ndry_run = true\n", "a = 1\n\ndry_run = false\n[limits]\ndry_run = true\n"),
        ("dry_run = false\r\nx = 1\r\n", "dry_run = false\r\nx = 1\r\n"),
    ],
)
def test_dry_run_changes_and_no_other_byte(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(before.encode())
    config.set_dry_run(file, False)
    assert file.read_bytes() == after.encode()


def test_a_file_in_which_the_key_cannot_be_told_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    tricky = 'note = """\ndry_run = true\n"""\ndry_run = true\n'
    file.write_text(tricky, encoding="utf-8")
    with pytest.raises(VaultError, match="by hand"):
        config.set_dry_run(file, False)
    assert file.read_text(encoding="utf-8") == tricky


def test_optional_fields_are_left_out(tmp_path: Path) -> None:
    account = MailAccount.model_validate(
        {
            "name": "a", "address": "a@b.example", "user": "a", "password_file": tmp_path, "imap_host": "i",
            "submission_host": "s",
        }
    )  # fmt: skip
    assert "sent_folder" not in config.render(settings(accounts=(account,)))
