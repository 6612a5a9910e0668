"""Local's mail over TLS: it works where the certificate is good, and nothing is said where it is not."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from demo.cable import cable
from demo.certificates import self_signed
from demo.launch import MailWorld, mail_world
from local_agent.mailbox import Accepted, MailAccount, Mailbox, MailboxUnreachable, Tls, Unreachable

RAW = b"Subject: offer\r\nMessage-ID: <1@home.example>\r\n\r\nhello\r\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[MailWorld]:
    with mail_world(tmp_path / "mail") as servers:
        yield servers


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return tmp_path / "certificate.crt"


@pytest.fixture
def mailbox(world: MailWorld, tmp_path: Path, certificate: Path) -> Iterator[Mailbox]:
    """Both ports behind TLS with a certificate that is in `certificate`."""
    context, made = self_signed(tmp_path)
    assert made == certificate
    home = world.provider
    with ExitStack() as stack:
        imap = stack.enter_context(cable(home.imap_port, context))
        submission = stack.enter_context(cable(home.submission_port, context))
        account = MailAccount(
            name="office",
            address=home.address,
            user=home.acting.user,
            password_file=home.acting.password_file,
            imap_host="127.0.0.1",
            imap_port=imap.port,
            submission_host="127.0.0.1",
            submission_port=submission.port,
            timeout_seconds=10,
        )
        yield Mailbox(account)


def test_over_tls_it_sends_and_keeps_the_copy(
    world: MailWorld, mailbox: Mailbox, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    outcome = mailbox.submit(RAW, world.provider.address, ["customer@elsewhere.example"])
    mailbox.append_sent(RAW)
    assert isinstance(outcome, Accepted)
    assert [message.raw for message in world.received()] == [RAW]
    assert mailbox.find_sent("<1@home.example>") == (RAW,)


def test_a_certificate_nobody_vouches_for_is_unreachable(world: MailWorld, mailbox: Mailbox) -> None:
    outcome = mailbox.submit(RAW, world.provider.address, ["customer@elsewhere.example"])
    assert isinstance(outcome, Unreachable)
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.reason
    with pytest.raises(MailboxUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        mailbox.find_sent("<1@home.example>")
    assert world.received() == []


def test_a_server_without_starttls_is_never_spoken_to_in_clear(world: MailWorld) -> None:
    home = world.provider
    account = MailAccount(
        name="office",
        address=home.address,
        user=home.acting.user,
        password_file=home.acting.password_file,
        imap_host="127.0.0.1",
        imap_port=home.imap_port,
        imap_tls=Tls.STARTTLS,
        submission_host="127.0.0.1",
        submission_port=home.submission_port,
        submission_tls=Tls.STARTTLS,
    )
    outcome = Mailbox(account).submit(RAW, home.address, ["customer@elsewhere.example"])
    assert isinstance(outcome, Unreachable)
    with pytest.raises(MailboxUnreachable):
        Mailbox(account).find_sent("<1@home.example>")
