"""Mail as an effect, over a real provider: every class of failure has its reaction, and none is a second mail."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from demo.launch import MailWorld
from demo.testing import StartMail
from local_agent.effects import Answer, Done, Executor, Ledger, Refusal, Unsure, Waiting
from local_agent.limits import MANY
from local_agent.mail_account import MailAccount, Tls
from local_agent.mailbox import Mailbox
from local_agent.mcp.mail_connector import MailConnector
from vault_protocol import keys, sshsig
from vault_protocol.action import Address, SendMail
from vault_protocol.approval import NAMESPACE, SignedApproval, grant
from vault_protocol.errors import VaultError
from vault_protocol.testing import TestClock

OWNER_KEY = keys.new()
TO = "jana@north.example"


@dataclass
class Desk:
    """An executor over one account, with a clock that moves when told."""

    account: MailAccount
    executor: Executor[SendMail]
    clock: TestClock

    def send(self, task: str = "a" * 16, *, signed: SignedApproval | None = None, to: str = TO) -> Answer:
        action = self.action(to)
        return self.executor.execute(action, signed or self.approve(action, task))

    def action(self, to: str = TO) -> SendMail:
        sender = Address(name="Robin", address=self.account.address)
        return SendMail(account="business", sender=sender, to=(Address(address=to),), subject="Re: x", text="Yes.\n")

    def approve(self, action: SendMail, task: str = "a" * 16) -> SignedApproval:
        now = self.clock.now()
        return grant(
            action, vault="v1", executor="exec-1", task=task, revision=1, by="owner", now=now, not_before=now,
            nonce=secrets.token_hex(16), sign=lambda m: sshsig.sign(OWNER_KEY, m, namespace=NAMESPACE),
        )  # fmt: skip


def account_of(mail: MailWorld, **changes: object) -> MailAccount:
    provider = mail.provider
    return MailAccount(
        name="business", address=provider.address, user=provider.acting.user,
        password_file=provider.acting.password_file, imap_host="127.0.0.1", imap_port=provider.imap_port,
        imap_tls=Tls.NONE, submission_host="127.0.0.1", submission_port=provider.submission_port,
        submission_tls=Tls.NONE, timeout_seconds=5, answer_seconds=5,
    ).model_copy(update=changes)  # fmt: skip


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[list[Ledger]]:
    ledgers: list[Ledger] = []
    yield ledgers
    for ledger in ledgers:
        ledger.close()


def desk(account: MailAccount, folder: Path, ledgers: list[Ledger]) -> Desk:
    clock, ledger = TestClock(), Ledger(folder / "ledger.sqlite")
    ledgers.append(ledger)
    executor: Executor[SendMail] = Executor(
        connector=MailConnector(lambda _: account), ledger=ledger, vault="v1", id="exec-1",
        key=sshsig.PublicKey.of(OWNER_KEY), secret=b"s" * 32, now=clock.now, limit=lambda: MANY,
        dry_run=lambda: False,
    )  # fmt: skip
    return Desk(account, executor, clock)


def test_a_sent_mail_has_one_copy_in_sent_with_the_same_bytes(
    mail: MailWorld, tmp_path: Path, desks: list[Ledger]
) -> None:
    made = desk(account_of(mail), tmp_path, desks)
    signed = made.approve(made.action())
    first, second = made.send(signed=signed), made.send(signed=signed)
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    (received,) = mail.received()
    message_id = MailConnector.message_id(made.action(), first.key)
    (copy,) = Mailbox(made.account).find_sent(message_id)
    assert received.raw.endswith(copy)


def test_a_lost_answer_whose_copy_is_not_in_sent_is_unsure_and_never_repeated(
    start_mail: StartMail, tmp_path: Path, desks: list[Ledger]
) -> None:
    mail = start_mail("drop-after-data:1")
    made = desk(account_of(mail), tmp_path, desks)
    signed = made.approve(made.action())
    assert isinstance(made.send(signed=signed), Unsure)
    made.clock.tick(timedelta(hours=3))
    assert isinstance(made.send(signed=signed), Unsure)
    assert len(mail.received()) == 1


def test_mail_is_queued_while_the_server_defers_and_goes_out_later(
    start_mail: StartMail, tmp_path: Path, desks: list[Ledger]
) -> None:
    mail = start_mail("defer:1")
    made = desk(account_of(mail), tmp_path, desks)
    signed = made.approve(made.action())
    waiting = made.send(signed=signed)
    assert isinstance(waiting, Waiting)
    assert waiting.until is not None
    assert mail.received() == []
    made.clock.tick(waiting.until - made.clock.now())
    assert isinstance(made.send(signed=signed), Done)
    assert len(mail.received()) == 1


def test_mail_is_queued_while_the_server_is_down(mail: MailWorld, tmp_path: Path, desks: list[Ledger]) -> None:
    mail.provider.running.stop()
    made = desk(account_of(mail), tmp_path, desks)
    signed = made.approve(made.action())
    waiting = made.send(signed=signed)
    assert isinstance(waiting, Waiting)
    mail.provider.start_again()
    made.clock.tick(timedelta(minutes=2))
    assert isinstance(made.send(signed=signed), Done)
    assert len(mail.received()) == 1


def test_a_recipient_that_is_refused_for_good_comes_back_to_the_owner(
    start_mail: StartMail, tmp_path: Path, desks: list[Ledger]
) -> None:
    mail = start_mail("refuse-rcpt:1")
    answer = desk(account_of(mail), tmp_path, desks).send()
    assert isinstance(answer, Refusal)
    assert answer.rule == "the other side"
    assert "550" in answer.reason
    assert mail.received() == []


def test_a_refused_login_pauses_every_effect_until_the_owner_has_looked(
    mail: MailWorld, tmp_path: Path, desks: list[Ledger]
) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("not the password", encoding="utf-8")
    made = desk(account_of(mail, password_file=wrong), tmp_path, desks)
    assert isinstance(made.send(), Waiting)
    assert "login failed" in str(made.executor.ledger.paused())
    other = made.send("b" * 16)
    assert isinstance(other, Waiting)
    assert other.paused
    assert "not the password" not in str(made.executor.ledger.paused())
    assert mail.received() == []


def test_an_account_cannot_write_as_somebody_else(mail: MailWorld, tmp_path: Path, desks: list[Ledger]) -> None:
    made = desk(account_of(mail, address="boss@home.example"), tmp_path, desks)
    action = made.action().model_copy(update={"sender": Address(address="other@home.example")})
    answer = made.executor.execute(action, made.approve(action))
    assert isinstance(answer, Refusal)
    assert mail.received() == []


def test_an_account_that_is_gone_from_the_settings_ends_the_approval_or_asks_and_never_hangs(
    start_mail: StartMail, tmp_path: Path, desks: list[Ledger]
) -> None:
    there = {"business": account_of(start_mail("drop-after-data:1"))}
    made = desk(there["business"], tmp_path, desks)
    known: Callable[[str], MailAccount] = lambda name: found(there, name)  # noqa: E731
    made = replace(made, executor=replace(made.executor, connector=MailConnector(known)))
    sent = made.approve(made.action())
    assert isinstance(made.send(signed=sent), Unsure)
    there.clear()
    assert isinstance(made.send(signed=sent), Unsure), "the owner is asked still"
    gone = made.send("b" * 16)
    assert isinstance(gone, Refusal)
    assert "business" in gone.reason


def found(accounts: dict[str, MailAccount], name: str) -> MailAccount:
    if name not in accounts:
        raise VaultError(f"there is no account {name!r} in the settings")
    return accounts[name]
