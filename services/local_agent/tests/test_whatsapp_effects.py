"""WhatsApp messages as effects: what was approved goes out once, and every doubt is told."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from services.local_agent.tests.networks.whatsapp import PHONE_ID, WhatsAppServer

from demo.network import Fate
from local_agent.chats.letters import Letters, NotHere
from local_agent.chats.opening import open_phone
from local_agent.effects import Answer, Done, Executor, Ledger, Refusal, Unsure, Waiting
from local_agent.limits import MANY
from local_agent.mcp.whatsapp_connector import WhatsAppConnector
from local_agent.whatsapp_account import WhatsAppAccount
from vault_protocol import keys, sshsig
from vault_protocol.action import SendSealed, SendWhatsApp
from vault_protocol.approval import NAMESPACE, SignedApproval, grant
from vault_protocol.testing import TestClock

OWNER_KEY = keys.new()


class Died(BaseException):
    """The process is gone at this step."""


@dataclass
class Desk:
    """The owner's approvals over one number."""

    folder: Path
    server: WhatsAppServer
    clock: TestClock = field(default_factory=TestClock)
    die_at: str = ""
    ledgers: list[Ledger] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "token").write_text(self.server.token, encoding="utf-8")
        self.letters = Letters(self.folder / "chats")
        self.account = WhatsAppAccount(
            name="phone", way="cloud", number="+4915112345678", phone_id=PHONE_ID, secret_file=self.folder / "token",
            url=self.server.url, timeout_seconds=5,
        )  # fmt: skip
        self.phone = open_phone(self.account, self.folder)

    def action(self, text: str = "Gladly, on Monday.\n", **changes: Any) -> SendWhatsApp:
        fields = {"account": "phone", "to": "+4915187654321", "answers": "wamid.77", "text": text}
        return SendWhatsApp.model_validate({**fields, **changes})

    def approve(self, action: SendWhatsApp | SendSealed, task: str = "a" * 16) -> SignedApproval:
        now = self.clock.now()
        return grant(
            action, vault="v1", executor="exec-1", task=task, revision=1, by="owner", now=now, not_before=now,
            nonce=secrets.token_hex(16), sign=lambda m: sshsig.sign(OWNER_KEY, m, namespace=NAMESPACE),
        )  # fmt: skip

    def execute(self, action: SendWhatsApp | SendSealed, signed: SignedApproval) -> Answer:
        ledger = Ledger(self.folder / "ledger.sqlite")
        self.ledgers.append(ledger)
        given: dict[str, Any] = {
            "ledger": ledger, "vault": "v1", "id": "exec-1", "key": sshsig.PublicKey.of(OWNER_KEY), "secret": b"s" * 32,
            "now": self.clock.now, "limit": lambda: MANY, "dry_run": lambda: False, "reached": self._reached,
        }  # fmt: skip
        how = (lambda _name: self.account, lambda _account: self.phone, self.letters)
        if isinstance(action, SendSealed):
            unsealer: Executor[SendSealed] = Executor(WhatsAppConnector(*how), **given)
            return unsealer.execute(action, signed)
        sender: Executor[SendWhatsApp] = Executor(WhatsAppConnector(*how), **given)
        return sender.execute(action, signed)

    def _reached(self, step: str) -> None:
        if step == self.die_at:
            raise Died(step)

    def close(self) -> None:
        self.phone.close()
        for ledger in self.ledgers:
            ledger.close()


@pytest.fixture
def server() -> Iterator[WhatsAppServer]:
    made = WhatsAppServer()
    with made:
        yield made


@pytest.fixture
def desk(tmp_path: Path, server: WhatsAppServer) -> Iterator[Desk]:
    made = Desk(tmp_path, server)
    yield made
    made.close()


@pytest.mark.parametrize("sealed", [False, True])
def test_an_approved_message_goes_out_once_however_often_it_is_asked_for(desk: Desk, sealed: bool) -> None:
    words = desk.action("Gladly,\n\non Monday.\n")
    action = desk.letters.seal(words) if sealed else words
    signed = desk.approve(action)
    answers = [desk.execute(action, signed) for _ in range(3)]
    assert all(isinstance(answer, Done) for answer in answers), answers
    assert [(one["to"], one["text"], one["answers"]) for one in desk.server.effects] == [
        ("4915187654321", "Gladly,\n\non Monday.", "wamid.77")
    ]


def test_a_sealed_message_whose_words_are_gone_or_changed_is_not_sent(desk: Desk) -> None:
    sealed = desk.letters.seal(desk.action())
    (file,) = (desk.folder / "chats" / "sealed").iterdir()
    file.write_text(file.read_text(encoding="utf-8").replace("Monday", "Tuesday"), encoding="utf-8")
    with pytest.raises(NotHere):
        desk.letters.open(sealed)
    answer = desk.execute(sealed, desk.approve(sealed))
    assert isinstance(answer, Refusal)
    file.unlink()
    assert isinstance(desk.execute(sealed, desk.approve(sealed, "b" * 16)), Refusal)
    assert desk.server.asked == []


def test_the_same_words_are_sealed_under_another_digest_each_time(desk: Desk) -> None:
    assert desk.letters.seal(desk.action()) != desk.letters.seal(desk.action())


@pytest.mark.parametrize("fate", [Fate.ANSWER_LOST, Fate.REQUEST_LOST, Fate.BROKEN])
def test_a_lost_answer_is_the_owner_s_to_settle_and_nothing_is_sent_again(desk: Desk, fate: Fate) -> None:
    desk.server.fates = deque([fate])
    action = desk.action()
    signed = desk.approve(action)
    assert isinstance(desk.execute(action, signed), Unsure)
    desk.clock.tick(timedelta(hours=5))
    assert isinstance(desk.execute(action, signed), Unsure)
    assert [effect.task for effect in desk.ledgers[0].unknown()] == ["a" * 16]
    assert len(desk.server.effects) == (fate is not Fate.REQUEST_LOST)


def test_too_many_messages_wait_and_a_chat_that_is_closed_is_told(desk: Desk) -> None:
    desk.server.fates = deque([Fate.LIMITED])
    action = desk.action()
    signed = desk.approve(action)
    waiting = desk.execute(action, signed)
    assert isinstance(waiting, Waiting)
    assert waiting.until is not None
    desk.clock.tick(waiting.until - desk.clock.now())
    assert isinstance(desk.execute(action, signed), Done)
    desk.server.closed.add("4915187654321")
    refused = desk.execute(action, desk.approve(action, "b" * 16))
    assert isinstance(refused, Refusal)
    assert "131047" in refused.reason


def test_a_token_that_is_refused_pauses_every_effect(desk: Desk) -> None:
    desk.server.token = "another"
    action = desk.action()
    assert isinstance(desk.execute(action, desk.approve(action)), Waiting)
    assert "login failed" in str(desk.ledgers[0].paused())
    assert desk.server.effects == []


@pytest.mark.parametrize("step", ["started", "performed", "outcome", "copied"])
def test_a_death_at_any_step_never_leads_to_a_second_message(desk: Desk, step: str) -> None:
    action = desk.letters.seal(desk.action())
    signed = desk.approve(action)
    desk.die_at = step
    with pytest.raises(Died):
        desk.execute(action, signed)
    desk.die_at = ""
    known = step in ("outcome", "copied")
    for _ in range(2):
        assert isinstance(desk.execute(action, signed), Done if known else Unsure)
    assert len(desk.server.effects) == (step != "started")


@pytest.mark.parametrize("runs", [20, pytest.param(200, marks=pytest.mark.prove)])
def test_messages_with_a_fifth_of_the_answers_lost_are_sent_at_most_once(tmp_path: Path, runs: int) -> None:
    with WhatsAppServer(one_in=5, chance=Random(11)) as server:
        assert isinstance(server, WhatsAppServer)
        desk = Desk(tmp_path, server)
        told = dict[str, str]()
        for number in range(runs):
            action, task = desk.action(f"Message {number}\n"), f"{number:016}"
            signed = desk.approve(action, task)
            first = desk.execute(action, signed)
            assert type(desk.execute(action, signed)) is type(first)
            told[task] = type(first).__name__
        lost = {f"{number:016}" for number, fate in enumerate(server.told) if fate is not Fate.ANSWERED}
        assert len(lost) >= runs // 10
        assert len(server.shown()) == len(set(server.shown())), "an approval sent twice"
        assert {task for task, what in told.items() if what == "Unsure"} == lost
        assert {effect.task for effect in desk.ledgers[0].unknown()} == lost
        desk.close()
