"""WhatsApp: what is said stays here unless it is shared; what was approved goes out once, and every doubt is told."""

from __future__ import annotations

import secrets
import subprocess
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.networks.server import Fate
from services.local_agent.tests.networks.whatsapp import PHONE_ID, ScriptedDevice, WhatsAppServer, message
from services.local_agent.tests.office import locked

from local_agent.assemble import Local, assemble
from local_agent.chats.arriving import MOST, Arriving, is_wanted
from local_agent.chats.letters import Letters, NotHere
from local_agent.chats.linked import PAIRING, Linked
from local_agent.chats.opening import ARRIVED, open_phone
from local_agent.chats.phone import Message
from local_agent.chats.watch import ChatWatch
from local_agent.effects import Answer, Done, Executor, Ledger, Refusal, Unsure, Waiting
from local_agent.executor import Executor as Walker
from local_agent.executor import ServerGone
from local_agent.limits import MANY
from local_agent.mcp.whatsapp_connector import WhatsAppConnector
from local_agent.networks.network import AnswerLost, NotPublished
from local_agent.server_client import Servers
from local_agent.service import Service
from local_agent.whatsapp_account import WhatsAppAccount
from vault_protocol import fences, keys, request, sshsig
from vault_protocol.action import SendSealed, SendWhatsApp
from vault_protocol.approval import NAMESPACE, SignedApproval, grant
from vault_protocol.task import Domain, Stage, Task
from vault_protocol.testing import TestClock

OWNER_KEY = keys.new()
PRIVATE = ("4915187654321", "Joan Sampleton", "blue door", "Gladly, on Monday")


class Died(BaseException):
    """The process is gone at this step."""


class NoServers:
    """Nobody is there to connect the phones."""

    def act(self, *_: Any) -> Any:
        raise ServerGone("not here")

    def call(self, *_: Any, **__: Any) -> Any:
        raise ServerGone("not here")


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


def account(**changes: Any) -> WhatsAppAccount:
    return WhatsAppAccount.model_validate({"name": "phone", "way": "linked", "number": "+4915112345678", **changes})


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, False),
        ({"contacts": ["+4915187654321"]}, True),
        ({"contacts": ["+4915100000000"]}, False),
        ({"keywords": ["Offer"]}, True),
        ({"keywords": ["invoice"]}, False),
        ({"contacts": ["+4915187654321"], "keywords": ["invoice"]}, False),
        ({"contacts": ["+4915187654321"], "keywords": ["invoice", "door"]}, True),
    ],
)
def test_only_who_and_what_the_owner_named_is_kept(changes: dict[str, Any], wanted: bool) -> None:
    changes = {key: tuple(value) for key, value in changes.items()}
    assert is_wanted(message(), account(**changes)) is wanted


def test_a_linked_phone_keeps_what_comes_in_on_disk_before_anybody_acts_on_it(tmp_path: Path) -> None:
    devices: list[ScriptedDevice] = []

    def session(file: Path, heard: Any) -> ScriptedDevice:
        devices.append(ScriptedDevice(file, heard))
        return devices[-1]

    phone = open_phone(account(contacts=("+4915187654321",)), tmp_path, session)
    (device,) = devices
    with pytest.raises(NotPublished, match="not connected yet"):
        phone.send(to="+4915187654321", chat="", answers="", text="Hello")
    device.heard.code("2@abc")
    assert (tmp_path / PAIRING).read_text(encoding="utf-8") == "2@abc"
    assert "pair-whatsapp" in phone.state()
    device.heard.connected()
    assert phone.state() == "ok"
    for number in (2, 1, 1):
        device.heard.message(message(number))
    device.heard.message(message(3, number="+4915100000000"))
    assert [one.id for one in Arriving(tmp_path / ARRIVED).all()] == ["3EB00001", "3EB00002"]
    assert phone.send(to="+4915187654321", chat="c@lid", answers="x", text="Hello") == "ID1"
    device.fails = True
    with pytest.raises(AnswerLost, match="ConnectionError"):
        phone.send(to="+4915187654321", chat="c@lid", answers="x", text="Hello")
    device.heard.logged_out()
    assert "logged this machine out" in phone.state()
    phone.close()


def test_a_device_that_cannot_connect_is_told_and_brings_nothing_down(tmp_path: Path) -> None:
    class Broken(ScriptedDevice):
        def connect(self) -> None:
            raise OSError("no network")

    phone = Linked(Broken, tmp_path, lambda _message: None)
    phone._thread.join(timeout=30)
    assert phone.state() == "it cannot connect: OSError"
    phone.close()


def test_a_flood_of_messages_fills_no_disk(tmp_path: Path) -> None:
    arriving = Arriving(tmp_path)
    assert sum(arriving.keep(message(number)) for number in range(MOST + 10)) == MOST
    assert sum(1 for _ in arriving.all()) == MOST


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], server: WhatsAppServer) -> World:
    world = World(tmp_path, capsys.readouterr)
    ran = world.init("--no-dry-run", "--undo-seconds", "0")
    assert ran.code == 0, ran.err
    (tmp_path / "token").write_text(server.token, encoding="utf-8")
    for name, share in (("phone", "false"), ("open", "true")):
        file = tmp_path / "phone.toml"
        file.write_text(
            f'[[whatsapp]]\nname = "{name}"\nway = "cloud"\nnumber = "+4915112345678"\nphone_id = "{PHONE_ID}"\n'
            f'url = "{server.url}"\nsecret_file = "token"\ncontacts = ["+4915187654321"]\nshare = {share}\n',
            encoding="utf-8",
        )
        ran = world.run("accounts", "--add", str(file))
        assert ran.code == 0, ran.err
    return world


def arrives(world: World, said: Message, name: str = "phone") -> tuple[Local, Task]:
    """A message comes in and is taken up."""
    Arriving(world.home.whatsapp / name / ARRIVED).keep(said)
    local = assemble(world.home)
    local.vault.refresh()
    assert ChatWatch(local, NoServers()).step() == 1
    (task,) = [one for one in local.vault.tasks(Stage.NEEDS_ACTION) if one.domain is Domain.WHATSAPP]
    return local, task


def drafted(local: Local, task: Task, text: str = "Gladly, on Monday.\n") -> SendSealed:
    """An answer as Local drafts it, put up for approval."""
    said = Letters(local.home.chats).said(task.id)
    assert said is not None
    words = SendWhatsApp(account="phone", to=said.number, chat=said.chat, answers=said.id, text=text)
    sealed = Letters(local.home.chats).seal(words)
    held = local.vault.claim_next([Domain.WHATSAPP], fit=lambda one: one.id == task.id)
    assert held is not None
    local.vault.submit(held, request.put(held.note, request.Request(secrets.token_hex(8), sealed)))
    return sealed


def all_of_the_hub(world: World) -> bytes:
    """Every object that ever came there, whole."""
    done = subprocess.run(
        ["git", "-C", str(world.hub), "cat-file", "--batch-all-objects", "--batch", "--unordered"],
        check=True, capture_output=True,
    )  # fmt: skip
    return done.stdout


def test_of_a_chat_that_is_not_shared_nothing_but_a_digest_leaves_this_machine(
    world: World, server: WhatsAppServer
) -> None:
    """From the message to its answer, over every object of the hub."""
    local, task = arrives(world, message())
    drafted(local, task)
    shown = world.run("show", str(task.id)).out
    for words in PRIVATE:
        assert words in shown, shown
    assert "Checked: number and chat" in shown
    assert world.approve(str(task.id), "--yes").code == 0
    servers = Servers(world.home.path)
    try:
        local = world.local
        assert Walker(local.vault, servers, local.clock, local.executor).step() == 1
        assert servers.call("whatsapp", "phones_connected") == {"phone": "ok", "open": "ok"}
    finally:
        servers.close()
    assert world.stage(str(task.id)) is Stage.DONE
    assert [one["text"] for one in server.effects] == ["Gladly, on Monday."]
    assert world.run("show", str(task.id), "--json").json["on_this_machine"]["text"] == "Gladly, on Monday.\n"
    everything = all_of_the_hub(world)
    assert b"send_sealed" in everything
    for words in PRIVATE:
        assert words.encode() not in everything, words


def test_of_a_chat_that_is_shared_the_words_stand_in_a_fence(world: World) -> None:
    _, task = arrives(world, message(text="See ![x](https://evil.example/a.png)\n```\n<script>"), "open")
    assert "evil.example" in task.note.body
    assert fences.active(task.note.body) == ()
    assert task.note.front.words("from") == "Joan Sampleton +4915187654321"


def test_a_message_is_one_task_whatever_is_killed_in_between(world: World) -> None:
    local, task = arrives(world, message())
    Arriving(world.home.whatsapp / "phone" / ARRIVED).keep(message())  # it was not dropped before the end
    assert ChatWatch(local, NoServers()).step() == 0
    assert [one.id for one in local.vault.tasks(Stage.NEEDS_ACTION)] == [task.id]
    assert list(Arriving(world.home.whatsapp / "phone" / ARRIVED).all()) == []


def test_the_owner_edits_words_that_stay_on_this_machine_and_they_stay_there(world: World) -> None:
    local, task = arrives(world, message())
    drafted(local, task)
    file = world.folder / "words"
    file.write_text("Gladly, on Monday, at noon.\n", encoding="utf-8")
    ran = world.run("edit", str(task.id), "--text-file", str(file), "--no-approve")
    assert ran.code == 0, ran.err
    assert "at noon" in world.run("show", str(task.id)).out
    assert b"at noon" not in all_of_the_hub(world)


def test_an_answer_to_another_number_than_wrote_is_a_mismatch(world: World) -> None:
    local, task = arrives(world, message())
    Letters(world.home.chats).keep(task.id, message(number="+4915100000000"))
    drafted(local, task)
    Letters(world.home.chats).keep(task.id, message())
    assert "MISMATCH: the number is not what the message on this machine says" in world.run("show", str(task.id)).out


def test_a_moved_file_decides_nothing_about_words_that_the_file_does_not_hold(world: World) -> None:
    local, task = arrives(world, message())
    drafted(local, task)
    service = Service(local, NoServers(), locked)
    try:
        assert "moving a file" in str(service._quick(local.vault.get(task.id)))
    finally:
        service.close()


def test_words_that_are_on_another_machine_are_told_as_missing(world: World) -> None:
    local, task = arrives(world, message())
    drafted(local, task)
    for file in (world.home.chats / "sealed").iterdir():
        file.unlink()
    shown = world.run("show", str(task.id)).out
    assert "MISSING: the words of this message are not on this machine" in shown
    assert "Not checked against the original" in shown


def test_the_code_to_pair_with_is_shown_once_there_is_one(world: World) -> None:
    file = world.folder / "linked.toml"
    file.write_text('[[whatsapp]]\nname = "mine"\nway = "linked"\nnumber = "+4915112345678"\n', encoding="utf-8")
    assert world.run("accounts", "--add", str(file)).code == 0
    assert "no linked device" in world.run("pair-whatsapp", "phone", "--seconds", "0").err
    ran = world.run("pair-whatsapp", "mine", "--seconds", "0")
    assert ran.code == 1
    assert "there is no code" in ran.err
    (world.home.whatsapp / "mine").mkdir(parents=True)
    (world.home.whatsapp / "mine" / PAIRING).write_text("2@abc,def", encoding="utf-8")
    ran = world.run("pair-whatsapp", "mine", "--seconds", "0")
    assert ran.code == 0
    assert "2@abc,def" in ran.out
    assert "ban" in ran.err
