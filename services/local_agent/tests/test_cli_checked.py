"""Local's own check, against a real mailbox: what agrees can be approved in a batch, a mismatch needs a word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World, until
from services.local_agent.tests.mailed import CUSTOMER, OWNER, with_mailbox
from services.local_agent.tests.office import NoServers, locked

from correspondence import Mailbox, read
from correspondence.reply_action import reply_action
from demo.launch import MailWorld, mail_world
from local_agent.attachments import Attachments
from local_agent.service import Service
from vault_protocol.action import Address, SendMail
from vault_protocol.task import Stage, TaskId


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailWorld]:
    with mail_world(tmp_path_factory.mktemp("mail")) as mail:
        yield mail


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], mail: MailWorld) -> World:
    return with_mailbox(tmp_path, capsys.readouterr, mail)


def reply(world: World, mail: MailWorld, number: int, **lies: object) -> str:
    """The answer Cloud would draft to a mail that really is in the mailbox, but for its lies."""
    raw = (
        f"From: Customer <{CUSTOMER}>\r\nTo: {OWNER}\r\nSubject: Offer {number}?\r\n"
        "Date: Mon, 23 Nov 2026 09:00:00 +0000\r\n"
        f"Message-ID: <{world.folder.name}.{number}@elsewhere.example>\r\n\r\nCould you send an offer?\r\n"
    ).encode()
    mail.provider.deliver(raw, sender=CUSTOMER)
    action, _ = reply_action(
        read(raw), account="business", sender=Mailbox(name="Ann Owner", address=OWNER),
        own_addresses=frozenset({OWNER}), text="Gladly.\n",
    )  # fmt: skip
    until(lambda: len(world.local.judge._find("business", action.in_reply_to or "")) == 1)
    return world.ask_for(f"Offer {number}?", action=action.model_copy(update=lies))


def test_drafts_that_agree_with_the_mailbox_are_approved_in_a_batch(world: World, mail: MailWorld) -> None:
    tasks = [reply(world, mail, 1), reply(world, mail, 2)]
    assert [row["check"] for row in world.run("list", "--json").json["tasks"]] == ["ok", "ok"]
    shown = world.run("show", tasks[0]).out
    assert "Checked: recipients, thread and quote are what the original in your mailbox gives." in shown
    ran = world.approve(*tasks, "--yes")
    assert ran.code == 0
    assert ran.out.count("Approved ") == 2
    assert [world.stage(task) for task in tasks] == [Stage.APPROVED, Stage.APPROVED]


def test_a_mismatch_is_shown_and_needs_a_word_of_its_own(world: World, mail: MailWorld) -> None:
    task = reply(world, mail, 1, to=(Address(address="thief@evil.example"),))
    good = reply(world, mail, 2)
    assert {row["id"]: row["check"] for row in world.run("list", "--json").json["tasks"]}[task] == "mismatch"
    assert "MISMATCH: the recipients are not what the original in your mailbox says" in world.run("show", task).out
    ran = world.approve(task, "--yes")
    assert ran.code == 1
    assert "the recipients are not what the original" in ran.err
    assert world.approve(task, good, "--yes", "--despite-mismatch").code == 1
    assert world.stage(good) is Stage.PENDING_APPROVAL
    assert world.approve(task, "--yes", "--despite-mismatch").code == 0


def test_what_is_approved_is_sent_once_and_finished_by_the_service(world: World, mail: MailWorld) -> None:
    before = len(mail.received())
    task = reply(world, mail, 1)
    with world.service():
        assert world.run("status", "--json").json["service"] is True
        ran = world.approve(task, "--yes")
        assert ran.code == 0
        assert "not running" not in ran.err
        until(lambda: world.stage(task) is Stage.DONE)
    assert len(mail.received()) == before + 1
    assert isinstance(mail.received()[-1].raw, bytes)
    assert world.audit()[-1] == "effect.confirmed"
    late = world.run("undo", task)
    assert (late.code, late.err.count("\n")) == (1, 1)


def test_a_mailbox_that_does_not_answer_is_tried_once_for_a_whole_list(
    world: World, mail: MailWorld, tmp_path: Path
) -> None:
    tasks = [world.ask_for("One"), world.ask_for("Two")]
    config = world.home.config.read_text(encoding="utf-8")
    world.home.config.write_text(
        config.replace(f"imap_port = {mail.provider.imap_port}", "imap_port = 1"), encoding="utf-8"
    )
    rows = world.run("list", "--json").json["tasks"]
    assert [row["check"] for row in rows] == ["unchecked", "unchecked"]
    known = [world.local.judge.known(world.local.vault.get(task)) for task in tasks]
    assert [check is None for check in known].count(True) == 1


def test_a_moved_file_decides_what_could_not_be_checked_while_the_mailbox_was_away(
    world: World, mail: MailWorld
) -> None:
    task, config = reply(world, mail, 1), world.home.config.read_text(encoding="utf-8")
    away = config.replace(f"imap_port = {mail.provider.imap_port}", "imap_port = 1")
    world.home.config.write_text(away, encoding="utf-8")
    assert "the mailbox could not be read" in not_by_file(world, task)
    world.home.config.write_text(config, encoding="utf-8")
    assert not_by_file(world, task) == ""


def not_by_file(world: World, task: str) -> str:
    """Why a moved file does not decide it."""
    local = world.local
    service = Service(local, NoServers(), locked)
    try:
        return service._quick(local.vault.get(TaskId(task))) or ""
    finally:
        service.close()


def test_a_text_that_was_edited_is_checked_anew(world: World, mail: MailWorld, tmp_path: Path) -> None:
    task = reply(world, mail, 1)
    text = tmp_path / "text.txt"
    text.write_text("Yes, gladly.\n", encoding="utf-8")
    assert world.run("edit", task, "--text-file", str(text)).code == 0
    shown = world.run("show", task, "--json").json
    assert shown["check"] == "ok"
    assert SendMail.model_validate(shown["action"], strict=False).text == "Yes, gladly.\n"


def test_a_file_of_this_machine_that_cloud_names_for_another_task_is_a_mismatch(world: World, mail: MailWorld) -> None:
    other = Attachments(world.home.attachments).keep(
        b"%PDF for somebody else", name="INV-1.pdf", media_type="application/pdf", task="z" * 16, origin="invoice 1"
    )
    task = reply(world, mail, 1, attachments=(other,))
    assert "MISMATCH: the attachment INV-1.pdf is no file that this machine keeps" in world.run("show", task).out
    assert world.approve(task, "--yes").code == 1
    assert world.stage(task) is Stage.PENDING_APPROVAL
