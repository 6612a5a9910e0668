"""The guided login against the same server: a browser of the owner's that follows what it is sent."""

from __future__ import annotations

import json
import stat
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from services.cloud_agent.tests.gmail_server import CLIENT, READ_ONLY, SECRET, SEND, Google, gmail

from cloud_agent.__main__ import main
from cloud_agent.watchers.gmail.grant import Grant, GrantTooWide
from cloud_agent.watchers.gmail.login import log_in
from cloud_agent.watchers.mailbox_settings import GmailSettings
from vault_protocol.consent import Application
from vault_protocol.errors import VaultError


@pytest.fixture
def server() -> Iterator[tuple[Google, str]]:
    with gmail() as (google, port):
        yield google, f"http://127.0.0.1:{port}"


def settings(url: str, file: Path) -> GmailSettings:
    return GmailSettings(
        source="gmail", name="office", kind="business", address="owner@home.example", grant_file=file, api_url=url,
        login_url=url,
    )  # fmt: skip


APPLICATION = Application(CLIENT, SECRET)


def browser(address: str) -> None:
    """Opens the page on a thread of its own, and says yes."""
    threading.Thread(target=opened, args=(address,), daemon=True).start()


def opened(address: str) -> None:
    with urllib.request.urlopen(address, timeout=30) as page:  # noqa: S310 - of a server of this test
        assert b"close this page" in page.read()


def test_the_owner_grants_reading_and_the_grant_lies_in_a_private_file(
    server: tuple[Google, str], tmp_path: Path
) -> None:
    google, url = server
    box = settings(url, tmp_path / "secrets" / "office")
    assert log_in(box, APPLICATION, browser, f"{url}/consent") == "owner@home.example"
    assert Grant.read(box.grant_file, "office") == Grant(
        client_id=CLIENT, client_secret=SECRET, refresh_token="1//refresh"
    )
    assert stat.S_IMODE(box.grant_file.stat().st_mode) == 0o600
    asked = google.wanted
    assert (asked["scope"], asked["access_type"], asked["prompt"]) == (READ_ONLY, "offline", "consent")
    assert (asked["code_challenge_method"], asked["include_granted_scopes"]) == ("S256", "false")
    assert "1//refresh" not in repr(Grant.read(box.grant_file, "office"))


def test_a_grant_of_more_than_reading_is_never_written(server: tuple[Google, str], tmp_path: Path) -> None:
    google, url = server
    google.scope = f"{READ_ONLY} {SEND}"
    with pytest.raises(GrantTooWide):
        log_in(settings(url, tmp_path / "office"), APPLICATION, browser, f"{url}/consent")
    assert not (tmp_path / "office").exists()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("/?error=access_denied&state={state}", "nothing was granted"),
        ("/?code=4/theirs&state=theirs", "another login"),
        ("/?code=4/theirs&state={state}", "invalid_grant"),
    ],
)
def test_a_no_and_the_answer_to_another_login_grant_nothing(
    server: tuple[Google, str], tmp_path: Path, answer: str, says: str
) -> None:
    google, url = server

    def other(address: str) -> None:
        with pytest.raises(urllib.error.HTTPError):  # where it goes back to is not served: only what was asked is noted
            opened(address.replace("/consent", "/nowhere"))
        query = dict(pair.split("=") for pair in address.partition("?")[2].split("&"))
        back = unquote(query["redirect_uri"])
        assert back.startswith("http://127.0.0.1:")
        threading.Thread(target=opened, args=(back + answer.format(state=query["state"]),), daemon=True).start()

    with pytest.raises(VaultError, match=says):
        log_in(settings(url, tmp_path / "office"), APPLICATION, other, f"{url}/consent")
    assert not (tmp_path / "office").exists()
    assert google.codes == {}


def test_a_browser_that_never_answers_ends_the_login(server: tuple[Google, str], tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="no answer came"):
        log_in(settings(server[1], tmp_path / "office"), APPLICATION, lambda address: None, patience=0.05)


def test_the_command_says_what_it_lacks_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client = tmp_path / "client.json"
    client.write_text(json.dumps({"web": {}}))
    assert main(["gmail-login", "--client", str(client), "--into", str(tmp_path / "grant")]) == 1
    assert "no client of a Desktop app" in capsys.readouterr().err
    assert main(["gmail-login", "--client", str(client)]) == 1
    assert "say where the grant goes" in capsys.readouterr().err
