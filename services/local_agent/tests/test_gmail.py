"""Mail through Gmail's API, over a server that behaves as its documentation says: sent once, every doubt is told."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from services.local_agent.tests.gmail_server import SECRET, GmailServer
from services.local_agent.tests.outside import Fate

from local_agent.effects import Answer, Done, Executor, Ledger, Refusal, Unsure, Waiting
from local_agent.gmail import Gmail
from local_agent.limits import MANY
from local_agent.mail_account import MailAccount
from local_agent.mcp.gmail_connector import GmailConnector
from local_agent.mcp.mail_connector import MailConnector
from vault_protocol import keys, sshsig
from vault_protocol.action import Address, Attachment, SendMail
from vault_protocol.approval import NAMESPACE, SignedApproval, grant
from vault_protocol.canonical import sha256
from vault_protocol.testing import TestClock

OWNER_KEY = keys.new()
TO = "jana@north.example"


@dataclass
class Desk:
    """An executor over one account at Gmail, with a clock that moves when told."""

    folder: Path
    server: GmailServer
    settings: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    clock: TestClock = field(default_factory=TestClock)
    ledgers: list[Ledger] = field(default_factory=list)
    connector_secret: Callable[[], str] = lambda: SECRET

    def connector(self) -> GmailConnector[SendMail]:
        account = MailAccount(
            name="business", address="me@home.example", way="gmail", gmail_url=self.server.url,
            gmail_token_url=self.server.url, timeout_seconds=5, **self.settings,
        )  # fmt: skip
        return GmailConnector(
            lambda _: account, lambda of: Gmail(of, self.connector_secret), lambda one: self.files[one.sha256]
        )

    def execute(self, action: SendMail, signed: SignedApproval) -> Answer:
        ledger = Ledger(self.folder / "ledger.sqlite")
        self.ledgers.append(ledger)
        executor: Executor[SendMail] = Executor(
            connector=self.connector(), ledger=ledger, vault="v1", id="exec-1", key=sshsig.PublicKey.of(OWNER_KEY),
            secret=b"s" * 32, now=self.clock.now, limit=lambda: MANY, dry_run=lambda: False,
        )  # fmt: skip
        return executor.execute(action, signed)

    def approve(self, action: SendMail) -> SignedApproval:
        now = self.clock.now()
        return grant(
            action, vault="v1", executor="exec-1", task="a" * 16, revision=1, by="owner", now=now, not_before=now,
            nonce=secrets.token_hex(16), sign=lambda m: sshsig.sign(OWNER_KEY, m, namespace=NAMESPACE),
        )  # fmt: skip


def mail(**changes: Any) -> SendMail:
    fields: dict[str, Any] = {
        "account": "business", "sender": Address(name="Robin", address="me@home.example"),
        "to": (Address(address=TO),), "subject": "Re: Größe", "text": "Yes.\n",
    }  # fmt: skip
    return SendMail(**{**fields, **changes})


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    server = GmailServer()
    with server:
        made = Desk(tmp_path, server)
        yield made
        for ledger in made.ledgers:
            ledger.close()


def test_an_approved_mail_is_sent_once_with_a_message_id_that_only_we_could_know(desk: Desk) -> None:
    signed = desk.approve(mail())
    answers = [desk.execute(mail(), signed) for _ in range(3)]
    assert all(isinstance(answer, Done) for answer in answers)
    (raw,) = desk.server.sent
    first = answers[0]
    assert isinstance(first, Done)
    assert message_from_bytes(raw)["Message-ID"] == MailConnector.message_id(mail(), first.key)


def test_hidden_recipients_are_told_to_gmail_alone(desk: Desk) -> None:
    action = mail(bcc=(Address(name="Böss", address="boss@home.example"),))
    assert isinstance(desk.execute(action, desk.approve(action)), Done)
    assert "boss@home.example" in str(message_from_bytes(desk.server.sent[0])["Bcc"])
    assert "boss@home.example" not in str(desk.server.boxes["m1"][1])


def test_a_large_mail_goes_up_as_it_is(desk: Desk) -> None:
    content = secrets.token_bytes(4 * 1024 * 1024)
    file = Attachment(name="a.bin", media_type="application/octet-stream", size=len(content), sha256=sha256(content))
    desk.files[file.sha256] = content
    action = mail(attachments=(file,))
    assert isinstance(desk.execute(action, desk.approve(action)), Done)
    (part,) = [p for p in message_from_bytes(desk.server.sent[0]).walk() if p.get_filename() == "a.bin"]
    assert part.get_payload(decode=True) == content
    assert desk.server.calls[0][1].startswith("/upload/")


def test_a_lost_answer_is_settled_by_what_gmail_shows_as_sent(desk: Desk) -> None:
    desk.server.fates.append(Fate.ANSWER_LOST)
    assert isinstance(desk.execute(mail(), desk.approve(mail())), Done)
    assert len(desk.server.sent) == 1


@pytest.mark.parametrize("fate", [Fate.REQUEST_LOST, Fate.BROKEN])
def test_what_gmail_does_not_show_is_unsure_and_never_sent_again(desk: Desk, fate: Fate) -> None:
    desk.server.fates.append(fate)
    signed = desk.approve(mail())
    assert isinstance(desk.execute(mail(), signed), Unsure)
    desk.clock.tick(timedelta(hours=3))
    assert isinstance(desk.execute(mail(), signed), Unsure)
    assert desk.server.sent == []
    assert len(desk.server.calls) == 1


def test_a_token_that_may_only_send_sends_and_leaves_every_doubt_to_the_owner(desk: Desk) -> None:
    desk.server.reads = False
    assert isinstance(desk.execute(mail(), desk.approve(mail())), Done)
    other = mail(text="No.\n")
    desk.server.fates.append(Fate.ANSWER_LOST)
    signed = desk.approve(other).model_copy()
    signed = grant(
        other, vault="v1", executor="exec-1", task="b" * 16, revision=1, by="owner", now=desk.clock.now(),
        not_before=desk.clock.now(), nonce=secrets.token_hex(16),
        sign=lambda m: sshsig.sign(OWNER_KEY, m, namespace=NAMESPACE),
    )  # fmt: skip
    assert isinstance(desk.execute(other, signed), Unsure)
    assert len(desk.server.sent) == 2


def test_other_words_under_our_message_id_prove_nothing(desk: Desk) -> None:
    desk.server.fates.append(Fate.ANSWER_LOST)
    desk.server.lose_sent = True
    signed = desk.approve(mail())
    assert isinstance(desk.execute(mail(), signed), Unsure)
    forged = desk.server.sent[0].replace(b"Yes.", b"No!!")
    desk.server.boxes["x"] = (["SENT"], forged)
    answer = desk.execute(mail(), signed)
    assert isinstance(answer, Unsure)
    assert "other words" in answer.reason


def test_too_many_requests_wait_and_go_out_later(desk: Desk) -> None:
    desk.server.fates.append(Fate.TOO_MANY)
    signed = desk.approve(mail())
    waiting = desk.execute(mail(), signed)
    assert isinstance(waiting, Waiting)
    desk.clock.tick(timedelta(minutes=2))
    assert isinstance(desk.execute(mail(), signed), Done)
    assert len(desk.server.sent) == 1


def test_a_token_that_was_taken_back_pauses_every_effect_and_is_not_in_the_words(desk: Desk) -> None:
    desk.server.refresh_token = "another"
    assert isinstance(desk.execute(mail(), desk.approve(mail())), Waiting)
    paused = str(desk.ledgers[0].paused())
    assert "invalid_grant" in paused
    assert "refresh token" not in paused


def test_a_recipient_that_gmail_refuses_comes_back_to_the_owner(desk: Desk) -> None:
    action = mail(to=(Address(address="x@bad.example"),))
    answer = desk.execute(action, desk.approve(action))
    assert isinstance(answer, Refusal)
    assert "Invalid To header" in answer.reason


def test_what_was_sent_gets_the_label_that_the_owner_wants(desk: Desk) -> None:
    desk.settings["gmail_label"] = "Countersigned"
    assert isinstance(desk.execute(mail(), desk.approve(mail())), Done)
    assert desk.server.boxes["m1"][0] == ["SENT", "Label_7"]
