"""A file of the owner's in a mail that waits: signed by its hash, sent as those bytes, kept on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import cast

import pytest
from services.local_agent.tests.cli_world import World, until
from services.local_agent.tests.mailed import with_mailbox
from services.local_agent.tests.test_cli_checked import reply

from correspondence.forward_action import MOST_BYTES
from demo.launch import MailWorld, mail_world
from vault_protocol import request
from vault_protocol.action import MailAction, SendMail
from vault_protocol.canonical import sha256
from vault_protocol.task import Stage, TaskId

PDF = b"%PDF-1.7\nthe offer\n"


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailWorld]:
    with mail_world(tmp_path_factory.mktemp("mail")) as mail:
        yield mail


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], mail: MailWorld) -> World:
    return with_mailbox(tmp_path, capsys.readouterr, mail)


def asked(world: World, task: str) -> MailAction:
    found = request.read(world.local.vault.get(task).note)
    assert found is not None
    assert isinstance(found.action, MailAction)
    return found.action


def test_a_file_of_the_owner_s_is_signed_by_its_hash_and_sent_as_those_bytes(
    world: World, mail: MailWorld, tmp_path: Path
) -> None:
    task, file = reply(world, mail, 1), tmp_path / "the offer.pdf"
    file.write_bytes(PDF)
    before, sent_before = asked(world, task).digest, len(mail.received())
    ran = world.run("attach", task, str(file), "--json")
    assert ran.code == 0, ran.err
    assert ran.json["revision"] == 2
    (named,) = asked(world, task).attachments
    assert (named.name, named.media_type, named.sha256) == ("the offer.pdf", "application/pdf", sha256(PDF))
    assert asked(world, task).digest != before
    file.write_bytes(b"other bytes, after it was attached")
    shown = world.run("show", task).out
    assert "the offer.pdf (application/pdf, 19 bytes" in shown
    assert "MISSING" not in shown
    assert world.run("show", task, "--json").json["check"] == "ok", "it came from the owner, for this very task"
    with world.service():
        assert world.approve(task, "--yes").code == 0
        until(lambda: world.stage(task) is Stage.DONE, 90)
    (sent,) = mail.received()[sent_before:]
    (part,) = BytesParser(policy=default).parsebytes(sent.raw).iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("the offer.pdf", PDF)
    files = [path for path in world.notes.rglob("*") if path.is_file() and PDF in path.read_bytes()]
    assert files == [], "the file itself is in no vault"


def test_an_approval_of_the_mail_without_the_file_is_none_of_the_mail_with_it(
    world: World, mail: MailWorld, tmp_path: Path
) -> None:
    task, file = reply(world, mail, 1), tmp_path / "a.pdf"
    file.write_bytes(PDF)
    assert world.approve(task, "--yes").code == 0
    ran = world.run("attach", task, str(file))
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "no mail that waits for you" in ran.err


def test_a_file_is_taken_out_again_by_its_number(world: World, mail: MailWorld, tmp_path: Path) -> None:
    task = reply(world, mail, 1)
    for name in ("a.pdf", "b.exe"):
        (tmp_path / name).write_bytes(PDF + name.encode())
        assert world.run("attach", task, str(tmp_path / name)).code == 0
    assert "b.exe is of a kind that can run a program" in world.run("show", task).out
    assert world.run("attach", task, "--remove", "1").code == 0
    assert [file.name for file in asked(world, task).attachments] == ["b.exe"]
    assert "no number 2" in world.run("attach", task, "--remove", "2").err


def test_what_no_mail_can_carry_is_refused_in_one_line_and_changes_nothing(
    world: World, mail: MailWorld, tmp_path: Path
) -> None:
    task = reply(world, mail, 1)
    secret = world.home.secret.read_text(encoding="ascii").strip()
    for name, content in (("empty", b""), ("key", f"it is {secret}".encode()), ("large", b"")):
        (tmp_path / name).write_bytes(content)
    with (tmp_path / "large").open("r+b") as file:
        file.truncate(MOST_BYTES + 1)
    cases = [
        (("empty",), "is empty"), (("key",), "holds a secret of this machine"), (("large",), "at most"),
        (("gone",), "cannot read"), ((".",), "is no file"), (("key", "--name", "///"), "no name"),
    ]  # fmt: skip
    for (first, *more), why in cases:
        ran = world.run("attach", task, str(tmp_path / first), *more)
        assert (ran.code, ran.err.count("\n"), why in ran.err) == (1, 1, True), ran.err
    assert "name a file" in world.run("attach", task).err
    assert world.local.vault.get(task).revision == 1
    assert not list(world.home.attachments.glob("*"))


def test_a_mail_carries_so_many_bytes_and_each_file_once(world: World, mail: MailWorld, tmp_path: Path) -> None:
    task, half = reply(world, mail, 1), tmp_path / "half.bin"
    with half.open("wb") as file:
        file.truncate(MOST_BYTES // 2 + 1)
    assert world.run("attach", task, str(half)).code == 0
    (tmp_path / "more.bin").write_bytes(b"x" * (MOST_BYTES // 2))
    assert "with more.bin its files are" in world.run("attach", task, str(tmp_path / "more.bin")).err
    small = tmp_path / "small.txt"
    small.write_bytes(b"x")
    assert world.run("attach", task, str(small)).code == 0
    assert "attached already" in world.run("attach", task, str(small)).err
    assert len(asked(world, task).attachments) == 2


def test_a_file_that_the_owner_took_out_is_none_that_a_later_draft_may_carry(
    world: World, mail: MailWorld, tmp_path: Path
) -> None:
    task, file = reply(world, mail, 1), tmp_path / "wrong.pdf"
    file.write_bytes(PDF)
    assert world.run("attach", task, str(file)).code == 0
    held = asked(world, task)
    assert world.run("attach", task, "--remove", "1").code == 0
    judge, local = world.local.judge, world.local
    assert judge.check(local.vault.get(TaskId(task))).mismatches == ()
    found = judge._foreign_files(local.vault.get(TaskId(task)), cast(SendMail, held))
    assert found == ("the attachment wrong.pdf is no file that this machine keeps for this task",)
