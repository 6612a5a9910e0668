"""Files of mails: kept by content for one task, sent as those bytes or not at all, shown before they are approved."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from services.local_agent.tests import test_mail_effects
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.test_mail_effects import Desk, account_of

from demo.launch import MailWorld
from demo.testing import StartMail
from local_agent.attachments import Attachments, NoSuchFile
from local_agent.effects import Done, Executor, Ledger, Refusal, Unsure
from local_agent.limits import MANY
from local_agent.mail_account import MailAccount
from local_agent.mailbox import Mailbox
from local_agent.mcp.mail_connector import MailConnector
from vault_protocol import sshsig
from vault_protocol.action import Address, Attachment, SendMail
from vault_protocol.testing import TestClock

PDF = b"%PDF-1.7\n1 0 obj\n"
TASK = "a" * 16


def keep(files: Attachments, content: bytes = PDF, task: str = TASK, name: str = "INV-1.pdf") -> Attachment:
    return files.keep(content, name=name, media_type="application/pdf", task=task, origin="invoice 7 of the books")


def test_a_file_is_kept_by_its_content_for_the_tasks_it_was_made_for(tmp_path: Path) -> None:
    files = Attachments(tmp_path / "files")
    kept = keep(files)
    assert files.read(kept) == PDF
    assert keep(files, task="b" * 16) == kept
    again = Attachments(tmp_path / "files")
    assert again.origin(kept, task=TASK) == again.origin(kept, task="b" * 16) == "invoice 7 of the books"
    assert again.origin(kept, task="c" * 16) is None
    assert again.origin(kept.model_copy(update={"name": "other.pdf"}), task=TASK) is None
    assert [oct(path.stat().st_mode & 0o777) for path in (tmp_path / "files").iterdir()] == ["0o600", "0o600"]


def test_the_same_bytes_have_the_name_that_each_task_gave_them(tmp_path: Path) -> None:
    files = Attachments(tmp_path)
    one, two, elsewhere = keep(files), keep(files, name="copy.pdf"), keep(files, task="b" * 16, name="setup.exe")
    assert [file.name for file in (one, two, elsewhere)] == ["INV-1.pdf", "copy.pdf", "setup.exe"]
    assert all(files.origin(file, task=TASK) for file in (one, two))
    assert files.origin(elsewhere, task=TASK) is None
    files.drop(two, task=TASK)
    assert files.origin(two, task=TASK) is None
    assert files.origin(one, task=TASK)
    assert files.origin(elsewhere, task="b" * 16)


def test_what_an_older_version_wrote_of_a_file_holds(tmp_path: Path) -> None:
    files = Attachments(tmp_path)
    kept = keep(files)
    old = {"attachment": kept.model_dump(mode="json"), "origin": "of old", "tasks": [TASK, "b" * 16]}
    (tmp_path / f"{kept.sha256}.json").write_text(json.dumps(old), "utf-8")
    assert files.origin(kept, task="b" * 16) == "of old"
    keep(files, task="c" * 16)
    assert files.origin(kept, task=TASK) == "of old"


@pytest.mark.parametrize("spoil", ["gone", "changed", "longer"])
def test_other_bytes_than_the_hash_says_are_never_given_out(tmp_path: Path, spoil: str) -> None:
    files = Attachments(tmp_path)
    kept = keep(files)
    path = tmp_path / kept.sha256
    path.unlink() if spoil == "gone" else path.write_bytes(PDF[::-1] if spoil == "changed" else PDF + b"x")
    with pytest.raises(NoSuchFile):
        files.read(kept)
    assert keep(files) == kept
    assert files.read(kept) == PDF


def desk(account: MailAccount, folder: Path, ledger: Ledger) -> Desk:
    clock = TestClock()
    executor: Executor[SendMail] = Executor(
        connector=MailConnector(lambda _: account, Attachments(folder / "files").read), ledger=ledger, vault="v1",
        id="exec-1", key=sshsig.PublicKey.of(test_mail_effects.OWNER_KEY), secret=b"s" * 32, now=clock.now,
        limit=lambda: MANY, dry_run=lambda: False,
    )  # fmt: skip
    return Desk(account, executor, clock)


def with_file(made: Desk, *files: Attachment) -> SendMail:
    return made.action().model_copy(update={"attachments": files})


def test_exactly_the_approved_bytes_are_sent_and_the_copy_in_sent_has_them_too(mail: MailWorld, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    made = desk(account_of(mail), tmp_path, ledger)
    action = with_file(made, keep(Attachments(tmp_path / "files")))
    done = made.executor.execute(action, made.approve(action))
    assert isinstance(done, Done)
    (received,) = mail.received()
    parsed = message_from_bytes(received.raw, policy=policy.default)
    (part,) = parsed.iter_attachments()
    assert (part.get_filename(), part.get_content_type(), part.get_payload(decode=True)) == (
        "INV-1.pdf", "application/pdf", PDF,
    )  # fmt: skip
    (copy,) = Mailbox(made.account).find_sent(MailConnector.message_id(action, done.key))
    assert received.raw.endswith(copy)
    ledger.close()


def test_a_mail_whose_bytes_are_not_here_is_refused_and_nothing_leaves(mail: MailWorld, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    made = desk(account_of(mail), tmp_path, ledger)
    kept = keep(Attachments(tmp_path / "files"))
    (tmp_path / "files" / kept.sha256).write_bytes(b"%PDF other")
    action = with_file(made, kept)
    answer = made.executor.execute(action, made.approve(action))
    assert isinstance(answer, Refusal)
    assert "INV-1.pdf" in answer.reason
    assert mail.received() == []
    ledger.close()


def test_a_lost_answer_is_settled_by_the_copy_with_the_same_file(start_mail: StartMail, tmp_path: Path) -> None:
    mail = start_mail("drop-after-data:1")
    ledger = Ledger(tmp_path / "ledger.sqlite")
    made = desk(account_of(mail), tmp_path, ledger)
    action = with_file(made, keep(Attachments(tmp_path / "files")))
    signed = made.approve(action)
    assert isinstance(made.executor.execute(action, signed), Unsure)
    (received,) = mail.received()
    raw = received.raw[received.raw.index(b"Date:") :]
    Mailbox(made.account).append_sent(raw)
    assert isinstance(made.executor.execute(action, signed), Done)
    assert len(mail.received()) == 1
    ledger.close()


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    world = World(tmp_path, capsys.readouterr)
    ran = world.init("--no-dry-run", "--undo-seconds", "0")
    assert ran.code == 0, ran.err
    return world


def with_attachment(world: World, kept: Attachment) -> str:
    action = SendMail(
        account="business", sender=Address(name="Ann Owner", address="ann@owner.example"),
        to=(Address(address="jane@customer.example"),), subject="Re: Your offer",
        text="Here it is.\n", attachments=(kept,),
    )  # fmt: skip
    return world.ask_for(action=action)


def test_the_owner_sees_names_types_and_sizes_and_opens_the_very_bytes(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Attachments(world.home.attachments)
    task = with_attachment(world, keep(files, task="z" * 16))
    shown = world.run("show", task).out
    assert "INV-1.pdf (application/pdf, 17 bytes" in shown
    assert "MISSING: INV-1.pdf" in shown, "it was kept for another task"
    keep(files, task=task)
    assert "MISSING" not in world.run("show", task).out
    opener = tmp_path / "opener"
    opener.write_text(f'#!/bin/sh\ncp "$1" "{tmp_path}/seen"\n', encoding="utf-8")
    opener.chmod(0o755)
    monkeypatch.setenv("COUNTERSIGN_OPENER", str(opener))
    assert world.run("files", task, "--open", "1").code == 0
    assert (tmp_path / "seen").read_bytes() == PDF
    ran = world.run("files", task, "--save", str(tmp_path / "saved"), "--json")
    assert [(row["name"], row["here"]) for row in ran.json["files"]] == [("INV-1.pdf", True)]
    assert (tmp_path / "saved" / "INV-1.pdf").read_bytes() == PDF
    late = world.run("files", task, "--open", "2")
    assert (late.code, late.err.count("\n")) == (1, 1)
