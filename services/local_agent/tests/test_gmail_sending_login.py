"""The login for a Gmail account that sends, over a server that behaves as Google documents: PKCE, scopes, refusals."""

from __future__ import annotations

import json
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from services.local_agent.tests.cli_world import COMMAND, World
from services.local_agent.tests.gmail_server import GmailServer
from services.local_agent.tests.test_gmail import Desk, mail

from local_agent.effects import Done, Waiting
from local_agent.gmail import Gmail
from local_agent.gmail_login import MODIFY, READ, SEND, log_in
from local_agent.mail_account import MailAccount
from vault_protocol.consent import Application
from vault_protocol.errors import VaultError

APPLICATION = Application("id", "a client secret")


@pytest.fixture
def server() -> Iterator[GmailServer]:
    made = GmailServer()
    with made:
        yield made


def account(server: GmailServer, **changes: Any) -> MailAccount:
    fields = {"name": "google", "address": "me@home.example", "way": "gmail", "gmail_url": server.url,
              "gmail_token_url": server.url, "timeout_seconds": 5}  # fmt: skip
    return MailAccount.model_validate({**fields, **changes})


def browser(address: str) -> None:
    """Opens the page on a thread of its own, and follows where it is sent."""
    threading.Thread(target=opened, args=(address,), daemon=True).start()


def opened(address: str) -> None:
    with urllib.request.urlopen(address, timeout=30) as page:  # noqa: S310 - of a server of this test
        page.read()


def login(server: GmailServer, **changes: Any) -> Any:
    return log_in(account(server, **changes), APPLICATION, browser, address=f"{server.url}/consent", patience=30)


def test_what_is_granted_sends_and_a_grant_taken_back_pauses_until_the_next_login(
    server: GmailServer, tmp_path: Path
) -> None:
    granted = login(server)
    assert (granted.address, server.refresh_token in repr(granted)) == ("me@home.example", False)
    server.refresh_token = "a newer one"  # the owner took the grant back at Google
    desk = Desk(tmp_path, server)
    secret = {"now": granted.secret}
    desk.connector_secret = lambda: secret["now"]
    signed = desk.approve(mail())
    assert isinstance(desk.execute(mail(), signed), Waiting)
    with closing(desk.ledgers[0]) as ledger:
        assert "invalid_grant" in str(ledger.paused())
        assert "secrets gmail-login business" in str(ledger.paused())
        ledger.resume()
        desk.clock.tick(timedelta(minutes=2))
        secret["now"] = login(server).secret
        assert isinstance(desk.execute(mail(), signed), Done)
    assert len(server.sent) == 1
    desk.ledgers[1].close()


@pytest.mark.parametrize(("label", "asked"), [("", {SEND, READ}), ("Countersigned", {MODIFY})])
def test_asked_for_is_what_this_machine_does_and_no_more(server: GmailServer, label: str, asked: set[str]) -> None:
    seen: list[str] = []

    def show(address: str) -> None:
        seen.append(address)
        browser(address)

    log_in(account(server, gmail_label=label), APPLICATION, show, address=f"{server.url}/consent", patience=30)
    query = dict(pair.split("=", 1) for pair in seen[0].partition("?")[2].split("&"))
    assert set(unquote(query["scope"]).split("+")) == asked
    assert (query["code_challenge_method"], query["login_hint"]) == ("S256", "me%40home.example")
    assert "a client secret" not in seen[0]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"refused": "access_denied"}, "nothing was granted"),
        ({"scope": SEND}, "gmail.readonly was not granted"),
        ({"address": "other@home.example"}, "the account of other@home.example"),
        ({"refresh_token": ""}, "no grant that lasts"),
    ],
)
def test_less_than_asked_for_and_another_account_are_not_kept(
    server: GmailServer, fault: dict[str, str], says: str
) -> None:
    for name, value in fault.items():
        setattr(server, name, value)
    with pytest.raises(VaultError, match=says):
        login(server)


def test_a_code_is_good_for_nobody_else(server: GmailServer) -> None:
    """Who reads the code on its way has not got the verifier."""

    def stolen(address: str) -> None:
        browser(address.replace("code_challenge=", "code_challenge=x"))

    with pytest.raises(VaultError, match="invalid_grant"):
        log_in(account(server), APPLICATION, stolen, address=f"{server.url}/consent", patience=30)


def test_an_account_that_sends_for_another_address_says_its_own(server: GmailServer) -> None:
    server.address = "Me@gmail.example"
    assert login(server, address="me@shop.example", user="me@gmail.example").address == "Me@gmail.example"


def test_the_command_keeps_the_grant_as_a_secret_and_prints_none_of_it(
    server: GmailServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path, capsys.readouterr)
    assert world.init().code == 0
    lines = ["", "[[accounts]]", 'name = "google"', 'address = "me@home.example"', 'way = "gmail"',
             f'gmail_url = "{server.url}"', f'gmail_token_url = "{server.url}"', ""]  # fmt: skip
    config = world.home.config
    config.write_text(config.read_text(encoding="utf-8") + "\n".join(lines), encoding="utf-8")
    client = tmp_path / "client.json"
    client.write_text(json.dumps({"installed": {"client_id": "id", "client_secret": "a client secret"}}))
    argv = [*COMMAND, "secrets", "gmail-login", "google", "--client", str(client), "--home", str(world.home.path),
            "--consent-url", f"{server.url}/consent", "--json"]  # fmt: skip
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stderr is not None
        shown = [process.stderr.readline(), process.stderr.readline()]
        browser(shown[1].strip())
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out)["address"] == "me@home.example"
    assert "a refresh token" not in "".join([out, err, *shown])
    assert "a client secret" not in "".join([out, err, *shown])
    kept = world.home.credentials.get("gmail.google")
    server.arrive("m1", b"Message-ID: <1@x.example>\r\n\r\n", world.local.clock.now())
    gmail = Gmail(world.home.settings().account("google"), lambda: kept)
    assert [one.raw for one in gmail.find("<1@x.example>")] == [b"Message-ID: <1@x.example>\r\n\r\n"]
    assert "secret.set" in world.audit()
    assert world.run("status").code == 0
