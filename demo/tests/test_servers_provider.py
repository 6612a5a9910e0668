"""The owner's provider: delivery, what each login may do, and how it ends."""

import json
import signal
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest
from imap_tools import MailBoxUnencrypted
from pydantic import ValidationError

from demo.accounts import Accounts
from demo.launch import Login, MailWorld, Provider, mail_world

RAW = b"Subject: s\r\nMessage-ID: <1@x.example>\r\n\r\nhello\r\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[MailWorld]:
    with mail_world(tmp_path / "mail") as servers:
        yield servers


def opened(home: Provider, login: Login) -> MailBoxUnencrypted:
    box = MailBoxUnencrypted("127.0.0.1", home.imap_port, 10)
    box.login(login.user, login.password_file.read_text(encoding="utf-8"), None)
    box.folder.set("INBOX", readonly=True)
    return box


def connected(home: Provider) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", home.submission_port, "laptop.example", timeout=20)


def test_mail_for_the_owner_is_in_the_inbox_when_smtp_says_so(world: MailWorld) -> None:
    home = world.provider
    home.deliver(RAW, sender="customer@elsewhere.example")
    for login in (home.acting, home.reading):
        with opened(home, login) as box:
            [mail] = box.fetch(mark_seen=False)
        assert mail.headers["return-path"] == ("<customer@elsewhere.example>",)
        assert mail.subject == "s"


def test_mail_for_anybody_else_is_no_business_of_the_mx(world: MailWorld) -> None:
    stranger = ["stranger@elsewhere.example"]
    mx = smtplib.SMTP("127.0.0.1", world.provider.mx_port, "x.example")
    with mx, pytest.raises(smtplib.SMTPRecipientsRefused):
        mx.sendmail("a@x.example", stranger, RAW)
    assert world.received() == []


def test_both_logins_see_one_mailbox(world: MailWorld) -> None:
    home = world.provider
    with opened(home, home.acting) as box:
        box.append(RAW, "Sent")
        box.append(RAW, "Drafts")
    with opened(home, home.reading) as box:
        for folder in ("Sent", "Drafts"):
            box.folder.set(folder, readonly=True)
            assert len(list(box.fetch(mark_seen=False))) == 1


def test_an_append_tells_its_uid_and_is_found_by_message_id(world: MailWorld) -> None:
    with opened(world.provider, world.provider.acting) as box:
        _, [answer] = box.append(RAW, "Drafts")
        uid = answer.split()[2].rstrip(b"]").decode()
        box.folder.set("Drafts")
        _, [found] = box.client.uid("SEARCH", "HEADER", "Message-ID", '"<1@x.example>"')
    assert answer.startswith(b"[APPENDUID ")
    assert found.decode() == uid


def test_only_the_acting_login_submits(world: MailWorld) -> None:
    home = world.provider
    with connected(home) as smtp, pytest.raises(smtplib.SMTPAuthenticationError):
        smtp.login(home.reading.user, home.reading.password_file.read_text(encoding="utf-8"))
    with connected(home) as smtp, pytest.raises(smtplib.SMTPSenderRefused):
        smtp.sendmail(home.address, ["b@y.example"], RAW)
    assert world.received() == []


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_what_is_submitted_is_outside_before_it_is_accepted(world: MailWorld, mechanism: str) -> None:
    home = world.provider
    with connected(home) as smtp:
        smtp.ehlo()
        smtp.user, smtp.password = home.acting.user, home.acting.password_file.read_text(encoding="utf-8")
        smtp.auth(mechanism, getattr(smtp, f"auth_{mechanism.lower()}"))
        smtp.sendmail(home.address, ["b@y.example"], RAW)
        assert [message.raw for message in world.received()] == [RAW]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_with_clients_still_connected(world: MailWorld, number: int) -> None:
    home = world.provider
    box = opened(home, home.acting)
    with connected(home):
        box.idle.start()  # type: ignore[no-untyped-call]
        home.running.process.send_signal(number)
        assert home.running.process.wait(5) == 0
    box.client.shutdown()
    assert home.running.log.read_bytes() == b""


def test_it_ends_when_the_process_that_started_it_is_gone(world: MailWorld) -> None:
    process = world.provider.running.process
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(5) == 0


def test_a_restart_forgets_the_mail_and_renumbers(world: MailWorld) -> None:
    home = world.provider
    home.deliver(RAW)
    before = home.imap_port
    with opened(home, home.reading) as box:
        first = box.client.response("UIDVALIDITY")
    home.restart()
    with opened(home, home.reading) as box:
        assert box.client.response("UIDVALIDITY") != first
        assert list(box.fetch()) == []
    assert home.imap_port == before


def test_no_password_is_ever_on_a_command_line(world: MailWorld) -> None:
    home = world.provider
    command_line = Path(f"/proc/{home.running.process.pid}/cmdline").read_text(encoding="utf-8")
    assert "demo.mail_server" in command_line
    for login in (home.acting, home.reading):
        assert login.password_file.read_text(encoding="utf-8") not in command_line


def test_an_address_belongs_to_one_mailbox() -> None:
    account = {"addresses": ["a@x.example"], "logins": [{"user": "u", "password": "p"}]}
    other = {"addresses": ["A@x.example"], "logins": [{"user": "v", "password": "p"}]}
    with pytest.raises(ValidationError, match="two mailboxes"):
        Accounts.model_validate_json(json.dumps({"accounts": [account, other]}))
