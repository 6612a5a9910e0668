"""The mail server's reading tools, asked over stdio as any client asks: by real IMAP, and by Gmail's API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.gmail_server import SECRET, GmailServer
from services.local_agent.tests.test_mailbox_folders import logged_in

from demo.launch import Provider, mail_world
from local_agent.gmail import Gmail
from local_agent.inbox import Inbox
from local_agent.mail_account import MailAccount
from local_agent.mcp.mail_reading import MailReading
from local_agent.server_client import Servers
from vault_protocol.errors import VaultError

MAIL = (
    "From: =?utf-8?q?J=C3=BCrgen?= <j@elsewhere.example>\r\nTo: me@home.example\r\nSubject: Offer\r\n"
    "Date: Mon, 23 Nov 2026 08:00:00 +0000\r\nMessage-ID: <{id}@elsewhere.example>\r\n"
    'Content-Type: multipart/mixed; boundary="x"\r\n\r\n'
    "--x\r\nContent-Type: text/html\r\n\r\n<p>Send {id} <b>now</b></p><script>x()</script>\r\n"
    '--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="a.pdf"\r\n\r\n%PDF\r\n--x--\r\n'
)


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with mail_world(tmp_path / "mail") as world:
        yield world.provider


@pytest.fixture
def server() -> Iterator[GmailServer]:
    made = GmailServer()
    with made:
        yield made


def raw(id_: str) -> bytes:
    return MAIL.format(id=id_).encode()


def test_a_client_lists_and_reads_mail_and_nothing_is_marked_as_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], provider: Provider, server: GmailServer
) -> None:
    world = World(tmp_path, capsys.readouterr)
    assert world.init().code == 0
    lines = [
        "", "[[accounts]]", 'name = "office"', f'address = "{provider.address}"', f'user = "{provider.acting.user}"',
        f'password_file = "{provider.acting.password_file}"', 'imap_host = "127.0.0.1"',
        f"imap_port = {provider.imap_port}", 'imap_tls = "none"', 'submission_host = "127.0.0.1"',
        f"submission_port = {provider.submission_port}", 'submission_tls = "none"', "",
        "[[accounts]]", 'name = "google"', 'address = "me@home.example"', 'way = "gmail"',
        f'gmail_url = "{server.url}"', f'gmail_token_url = "{server.url}"', "",
    ]  # fmt: skip
    config = world.home.config
    config.write_text(config.read_text(encoding="utf-8") + "\n".join(lines), encoding="utf-8")
    now = datetime.now(UTC)
    world.home.credentials.set("gmail.google", SECRET, now=now)
    for number in range(3):
        provider.deliver(raw(f"o{number}"))
        server.arrive(f"g{number}", raw(f"g{number}"), now - timedelta(minutes=9 - number))
    server.arrive("old", raw("old"), now - timedelta(days=3))
    with closing(Servers(world.home.path)) as servers:
        for account, letter in (("office", "o"), ("google", "g")):
            found = listed(servers, account=account)
            assert {one["message_id"] for one in found} == {f"<{letter}{n}@elsewhere.example>" for n in range(3)}
            assert [one["received"] for one in found] == sorted((one["received"] for one in found), reverse=True)
            assert (found[0]["from"], found[0]["files"]) == (["Jürgen <j@elsewhere.example>"], 1)
            assert len(listed(servers, account=account, limit=1)) == 1
            said = servers.call("mail", "read_mail", id=found[0]["id"])
            said = said.get("result", said)
            assert "Send" in said["text"]
            assert "script" not in said["text"]
            assert [(one["name"], one["size"]) for one in said["attachments"]] == [("a.pdf", 4)]
        assert {one["message_id"] for one in listed(servers, account="google", days=7)} >= {"<old@elsewhere.example>"}
    with logged_in(provider) as box:
        assert not any("\\Seen" in one.flags for one in box.fetch(mark_seen=False))


@pytest.mark.parametrize(
    ("id_", "says"),
    [
        ("google/gone", "not in the inbox of google any more"), ("google/../x", "no mail account"),
        ("x", "no mail account"), ("google/", "is no id"), ("google/a b", "is no id"), ("google/1\r\nX", "is no id"),
    ],
)  # fmt: skip
def test_an_id_of_no_mail_is_refused_in_words(server: GmailServer, id_: str, says: str) -> None:
    with pytest.raises(VaultError, match=says):
        reading(server).read(id_)


def test_an_account_that_is_not_let_in_says_so(server: GmailServer) -> None:
    server.refresh_token = "another"
    with pytest.raises(VaultError, match="gmail-login google"):
        reading(server).newest("google", 2, 20)


def reading(server: GmailServer) -> MailReading:
    google = MailAccount(
        name="google", address="me@home.example", way="gmail", gmail_url=server.url, gmail_token_url=server.url
    )

    def account(name: str) -> MailAccount:
        if name != "google":
            raise VaultError(f"there is no mail account {name!r}")
        return google

    return MailReading(account, lambda one: Inbox([one], lambda of: Gmail(of, lambda: SECRET)))


def listed(servers: Servers, **arguments: Any) -> list[dict[str, Any]]:
    answer = servers.call("mail", "newest_mails", **arguments)
    return list(answer["result"])
