"""WhatsApp on this machine: what is said stays here unless it is shared, and becomes one task each."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.networks.whatsapp import PHONE_ID, ScriptedDevice, WhatsAppServer, message
from services.local_agent.tests.office import NoServers, locked
from services.local_agent.tests.page_world import office

from local_agent.assemble import Local, assemble
from local_agent.chats.arriving import MOST, Arriving, is_wanted
from local_agent.chats.letters import Letters
from local_agent.chats.linked import PAIRING, Linked
from local_agent.chats.opening import ARRIVED, open_phone
from local_agent.chats.pairing_code import letters, path
from local_agent.chats.phone import Message
from local_agent.chats.watch import ChatWatch
from local_agent.executor import Executor as Walker
from local_agent.networks.network import AnswerLost, NotPublished
from local_agent.server_client import Servers
from local_agent.service import Service
from local_agent.whatsapp_account import WhatsAppAccount
from vault_protocol import fences, request
from vault_protocol.action import SendSealed, SendWhatsApp
from vault_protocol.task import Domain, Stage, Task

PRIVATE = ("4915187654321", "Joan Sampleton", "blue door", "Gladly, on Monday")


@pytest.fixture
def server() -> Iterator[WhatsAppServer]:
    made = WhatsAppServer()
    with made:
        yield made


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


def test_the_page_shows_the_code_to_pair_with_and_the_risk_while_there_is_one(world: World) -> None:
    file = world.folder / "linked.toml"
    file.write_text('[[whatsapp]]\nname = "mine"\nway = "linked"\nnumber = "+4915112345678"\n', encoding="utf-8")
    assert world.run("accounts", "--add", str(file)).code == 0
    code = world.home.whatsapp / "mine" / PAIRING
    code.parent.mkdir(parents=True)
    code.write_text("2@abc,def", encoding="utf-8")
    with office(world) as desk:
        browser = desk.paired()
        shown = browser.see("now").text
        assert "Pair your phone with mine" in shown
        assert "may ban the number" in shown
        assert "2@abc,def" in shown, "as it is: the library that draws it comes with the extra"
        code.unlink()
        assert "Pair your phone" not in browser.see("now").text


def test_a_code_is_drawn_square_by_square() -> None:
    assert path([[True, False], [False, True]]) == "M0 0h1v1h-1zM1 1h1v1h-1z"
    assert letters([[True, False], [False, True], [True, True]]) == "▄▀\n▄▄"
