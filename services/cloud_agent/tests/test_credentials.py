"""What opens each mailbox is told to whoever watches, and what can send is told apart from what cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from services.cloud_agent.tests.gmail_server import CLIENT, MODIFY, READ_ONLY, SECRET, gmail
from services.cloud_agent.tests.world import CLOUD, World

from cloud_agent import machine
from cloud_agent import settings as settings_file
from cloud_agent.__main__ import main
from cloud_agent.settings import BadSettings
from cloud_agent.surface import metrics
from cloud_agent.watchers.gmail.grant import Grant
from vault_protocol import updates

HEAD = (
    'vault = "v"\nhub = "hub.git"\nstate_dir = "state"\nkey_file = "keys/cloud"\nsecret_file = "secret"\n'
    'owner_name = "O"\n'
)
BOX = '\n[[mailboxes]]\nname = "{name}"\nkind = "business"\naddress = "me@gmail.com"\n'
IMAP = BOX + 'host = "imap.example.com"\nport = 993\npassword_file = "p"\nuser = "{user}"\n'
GMAIL = BOX + 'source = "gmail"\ngrant_file = "grants/{name}"\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "cloud.toml"
    file.write_text(HEAD + text, encoding="utf-8")
    return file


def test_each_mailbox_is_one_of_four_kinds(tmp_path: Path) -> None:
    boxes = (
        GMAIL.format(name="a"), IMAP.format(name="b", user="in@box.example") + "own_inbox = true\n",
        IMAP.format(name="c", user="me@gmail.com") + 'way_out = "way-out:3128"\n',
        IMAP.format(name="d", user="me@gmail.com"),
    )  # fmt: skip
    found = settings_file.read(written(tmp_path, "".join(boxes))).mailboxes
    assert {box.name: box.credential for box in found} == {
        "a": "reads-only", "b": "own-inbox", "c": "held-by-the-way-out", "d": "could-send",
    }  # fmt: skip
    held = settings_file.read(written(tmp_path, 'way_out = "w:1"\n' + boxes[0] + boxes[3])).mailboxes
    assert [(box.credential, box.way_out) for box in held] == [("reads-only", "w:1"), ("held-by-the-way-out", "w:1")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            IMAP.format(name="b", user="Me@gmail.com") + "own_inbox = true\n",
            "has another user than the owner's address",
        ),
        (GMAIL.format(name="a") + 'api_url = "http://gmail.example"\n', "without TLS is only for this machine"),
        (GMAIL.format(name="a") + 'api_url = "gmail.googleapis.com"\n', "is no https://HOST"),
        (GMAIL.format(name="a") + 'password_file = "p"\n', "mailboxes.0.password_file is no setting"),
        (BOX.format(name="a") + 'source = "gmail"\n', "mailboxes.0.grant_file is missing"),
        (BOX.format(name="a") + 'source = "pop"\n', "mailboxes.0"),
    ],
)
def test_a_mistake_in_a_mailbox_names_the_key(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadSettings, match=says):
        settings_file.read(written(tmp_path, text))


def test_the_vault_and_the_monitors_are_told_once_what_opens_the_mailbox(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.works()
    assert updates.credentials(world.read(updates.mailboxes_path(CLOUD)).encode()) == {"business": "could-send"}
    assert 'mailbox_credential{mailbox="business",credential="could-send"} 1\n' in metrics(world.health)
    head = world.hub.head
    world.start()
    world.works()
    assert world.hub.head == head, "another life has nothing new to say"


def test_the_grant_is_a_secret_that_no_commit_may_hold(tmp_path: Path) -> None:
    settings = settings_file.read(written(tmp_path, GMAIL.format(name="a")))
    Grant(client_id="app", client_secret="GOCSPX-shh", refresh_token="1//refresh").write(tmp_path / "grants" / "a")
    held = machine.own_secrets(settings, b"\x01" * 32)
    assert held.found_in(b"see 1//refresh")
    assert held.found_in(b"see GOCSPX-shh")


def test_an_agent_whose_grant_can_do_more_does_not_start(tmp_path: Path) -> None:
    assert main(["init", "--home", str(tmp_path), "--agent", "cloud"]) == 0
    with gmail() as (google, port):
        google.scope = f"{READ_ONLY} {MODIFY}"
        url = f'"http://127.0.0.1:{port}"'
        config = written(tmp_path, GMAIL.format(name="a") + f"api_url = {url}\nlogin_url = {url}\n")
        Grant(client_id=CLIENT, client_secret=SECRET, refresh_token="1//refresh").write(tmp_path / "grants" / "a")
        done = subprocess.run(
            [sys.executable, "-m", "cloud_agent", "run", "--config", str(config)],
            capture_output=True, text=True, timeout=60, env=os.environ, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("cloud_agent: mailbox a: its grant can do more than read (gmail.modify)")
    assert not any("/gmail/" in line for line in google.asked)
