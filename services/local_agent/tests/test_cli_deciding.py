"""`approve`, `reject`, `again`, `ack`, `edit`: each is one signed changeset, and what stands against it is said."""

from __future__ import annotations

import os
import stat
import subprocess
import termios
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import COMMAND, PASSPHRASE, World, approvals, until

from local_agent.home import Home
from vault_protocol import approval, request, sshsig
from vault_protocol.action import SendMail
from vault_protocol.audit import Record
from vault_protocol.task import Stage


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    world = World(tmp_path, capsys.readouterr)
    assert world.init("--no-dry-run", "--undo-seconds", "30").code == 0
    return world


def edit_in_folder(world: World, task: str, old: str, new: str) -> Path:
    place = world.run("show", task, "--json").json["path"]
    file: Path = world.notes / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes((world.local.vault.journal.read(place) or b"").replace(old.encode(), new.encode()))
    return file


def test_an_approval_signs_exactly_the_draft_and_says_when_it_leaves_and_how_to_undo_it(world: World) -> None:
    task = world.ask_for()
    digest = world.run("show", task, "--json").json["digest"]
    ran = world.approve(task[:6], "--yes")
    assert ran.code == 0
    assert f"Approved {task} r1." in ran.out
    assert "(in 30 s)" in ran.out
    assert f"countersign undo {task[:6]}" in ran.out
    assert "The service is not running" in ran.err
    [signed] = approvals(world)
    assert signed.approval.digest == digest
    assert signed.approval.executor == world.local.executor
    key = world.home.approval_public_key()
    sshsig.verify(key, signed.approval.canonical(), signed.signature, namespace=approval.NAMESPACE)
    assert world.stage(task) is Stage.APPROVED
    assert world.audit()[-1] == "approval.decided"


def test_what_is_signed_is_shown_first_and_no_is_the_default(world: World) -> None:
    task = world.ask_for(text="Every word of it\n")
    argv = [*COMMAND, "approve", task, "--home", str(world.home.path)]
    for said, code in (("\n", 1), ("n\n", 1), ("", 1)):
        done = subprocess.run(argv, input=said, capture_output=True, encoding="utf-8", timeout=60, check=False)
        assert done.returncode == code
        assert "Every word of it" in done.stdout
        assert "> Could you send me an offer?" in done.stdout
        assert done.stderr.splitlines()[-1].startswith("countersign: ")
    assert world.stage(task) is Stage.PENDING_APPROVAL


def test_a_wrong_passphrase_approves_nothing_and_is_never_repeated(world: World) -> None:
    task = world.ask_for()
    ran = world.spawn("approve", task, "--yes", passphrase="wrong horse")
    assert ran.code == 1
    assert ran.err == "countersign: approval: the passphrase does not open it\n"
    assert "wrong horse" not in ran.out
    assert world.stage(task) is Stage.PENDING_APPROVAL
    assert approvals(world) == []


def test_without_a_terminal_the_passphrase_has_to_be_handed_over(world: World) -> None:
    task = world.ask_for()
    ran = world.spawn("approve", task, "--yes")
    assert ran.code == 1
    assert "--passphrase-fd" in ran.err
    assert world.run("approve", task, "--yes", "--passphrase-fd", "99").err.startswith(
        "countersign: cannot read a pass"
    )


def test_several_can_be_approved_at_once_only_when_each_was_checked(world: World) -> None:
    tasks = [world.ask_for("One"), world.ask_for("Two")]
    ran = world.approve(*tasks, "--yes")
    assert ran.code == 1
    assert "could not be checked against its original" in ran.err
    assert approvals(world) == []


def test_what_does_not_wait_for_approval_cannot_be_approved(world: World) -> None:
    rejected = world.ask_for()
    waiting = world.add("Waiting")
    world.run("reject", rejected)
    for task in (waiting, rejected):
        ran = world.approve(task, "--yes")
        assert ran.code == 1
        assert "it does not wait for your approval" in ran.err


def test_an_edit_in_the_folder_is_never_approved_unseen(world: World) -> None:
    task = world.ask_for()
    edit_in_folder(world, task, "the offer follows", "my own words")
    ran = world.approve(task, "--yes")
    assert ran.code == 1
    assert "+Thank you, my own words." in ran.out
    assert "`--edited` approves that text" in ran.err
    assert approvals(world) == []
    ran = world.approve(task, "--yes", "--edited")
    assert ran.code == 0
    done = world.local.vault.get(task)
    found = request.read(done.note)
    assert found is not None
    assert isinstance(found.action, SendMail)
    assert found.action.text == "Thank you, my own words.\n"
    assert done.revision == 2
    assert approvals(world)[0].approval.digest == found.action.digest


def test_an_edit_that_breaks_the_note_is_refused_with_the_reason(world: World) -> None:
    task = world.ask_for()
    edit_in_folder(world, task, "## Action", "## Aktion")
    ran = world.approve(task, "--yes", "--edited")
    assert ran.code == 1
    assert "expected '## Action'" in ran.err
    assert world.approve(task, "--yes", "--edited", "--despite-mismatch").code == 1


def test_edited_without_an_edit_is_refused(world: World) -> None:
    task = world.ask_for()
    assert "holds no edited text" in world.approve(task, "--yes", "--edited").err


def test_a_link_in_the_folder_is_not_read(world: World, tmp_path: Path) -> None:
    task = world.ask_for()
    file = edit_in_folder(world, task, "the offer follows", "my own words")
    target = tmp_path / "elsewhere.md"
    target.write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(target)
    assert not world.run("list", "--json").json["tasks"][0]["edited_in_folder"]


def test_reject_ends_it_with_the_reason_and_again_brings_it_back(world: World) -> None:
    task = world.ask_for()
    ran = world.run("reject", task, "--why", "Not now", "--json")
    assert (ran.code, ran.json) == (0, {"id": task, "revision": 1, "stage": "Rejected"})
    assert world.local.vault.get(task).note.front.words("rejected_because") == "Not now"
    assert world.run("again", task, "--remark", "Friendlier").code == 0
    found = world.local.vault.get(task)
    assert found.stage is Stage.NEEDS_ACTION
    assert found.note.front.words("remark") == "Friendlier"
    assert world.audit()[-2:] == ["approval.decided", "approval.decided"]


def test_rejecting_twice_is_an_error_in_one_line(world: World) -> None:
    task = world.ask_for()
    world.run("reject", task)
    ran = world.run("reject", task)
    assert ran.code == 1
    assert ran.err == f"countersign: task {task} is in Rejected, this move starts in Pending_Approval\n"


def test_ack_ends_what_asks_for_nothing_and_nothing_else(world: World) -> None:
    task = world.ask_for()
    assert "approve or reject it" in world.run("ack", task).err
    plain = world.add("For your eyes")
    vault = world.cloud
    held = vault.get(plain)
    claimed = vault.claim_next([held.domain])
    assert claimed is not None
    vault.submit(claimed, claimed.note)
    assert "countersign ack" in world.approve(plain, "--yes").err
    assert world.run("ack", plain).code == 0
    assert world.stage(plain) is Stage.DONE


def test_edit_publishes_the_next_revision_and_keeps_everything_else(world: World, tmp_path: Path) -> None:
    task = world.ask_for(warnings=("Look twice.",), unknowns=("The price",))
    before = request.read(world.local.vault.get(task).note)
    text = tmp_path / "text.txt"
    text.write_text("My own text\r\nin two lines\n\n", encoding="utf-8")
    assert world.run("edit", task, "--text-file", str(text)).code == 0
    found = world.local.vault.get(task)
    after = request.read(found.note)
    assert before is not None
    assert after is not None
    assert after.action == before.action.model_copy(update={"text": "My own text\nin two lines\n"})
    assert (after.warnings, after.unknowns) == (before.warnings, before.unknowns)
    assert (found.stage, found.revision) == (Stage.PENDING_APPROVAL, 2)


def test_edit_can_approve_in_the_same_breath(world: World, tmp_path: Path) -> None:
    task = world.ask_for()
    text = tmp_path / "text.txt"
    text.write_text("Mine\n", encoding="utf-8")
    ran = world.run("edit", task, "--text-file", str(text), "--approve", passphrase=PASSPHRASE)
    assert ran.code == 0
    assert world.stage(task) is Stage.APPROVED
    assert approvals(world)[0].approval.revision == 2


def test_the_editor_gets_the_text_alone_in_a_private_file_that_is_gone_afterwards(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = world.ask_for(text="Before\n")
    editor = tmp_path / "my editor.sh"
    editor.write_text(
        f'#!/bin/sh\necho "$2" > "{tmp_path}/seen"\nls -l "$2" >> "{tmp_path}/seen"\n'
        f'cat "$2" >> "{tmp_path}/seen"\necho After > "$2"\n',
        encoding="utf-8",
    )
    editor.chmod(0o700)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"'{editor}' --wait")
    assert world.run("edit", task, "--no-approve").code == 0
    name, mode, *rest = (tmp_path / "seen").read_text(encoding="utf-8").splitlines()
    assert mode.startswith("-rw-------")
    assert rest == ["Before"]
    assert not Path(name).exists()
    assert Path(name).is_relative_to(world.home.path)
    found = request.read(world.local.vault.get(task).note)
    assert found is not None
    assert isinstance(found.action, SendMail)
    assert found.action.text == "After\n"


@pytest.mark.parametrize(("editor", "says"), [("false", "the editor ended with 1"), ("no-such-editor", "set $EDITOR")])
def test_an_editor_that_fails_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, editor: str, says: str
) -> None:
    task = world.ask_for()
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor)
    ran = world.run("edit", task)
    assert ran.code == 1
    assert says in ran.err
    assert world.local.vault.get(task).revision == 1
    assert list(world.home.socket.parent.glob("draft-*")) == []


@pytest.mark.parametrize("text", ["", "  \n", "hidden \u202e text", "bell \x07"])
def test_a_text_no_draft_may_hold_is_refused(world: World, tmp_path: Path, text: str) -> None:
    task = world.ask_for()
    file = tmp_path / "text.txt"
    file.write_text(text, encoding="utf-8")
    ran = world.run("edit", task, "--text-file", str(file))
    assert ran.code == 1
    assert ran.err.startswith("countersign: your text: ")
    assert world.local.vault.get(task).revision == 1


def test_an_unchanged_text_is_no_revision(world: World, tmp_path: Path) -> None:
    task = world.ask_for(text="Same\n")
    file = tmp_path / "text.txt"
    file.write_text("Same", encoding="utf-8")
    assert "Nothing was changed." in world.run("edit", task, "--text-file", str(file)).out
    assert world.local.vault.get(task).revision == 1


def test_the_passphrase_is_asked_for_hidden_at_a_terminal(world: World) -> None:
    task = world.ask_for()
    ours, theirs = os.openpty()  # nobody's controlling terminal, so that the prompt reads from it
    with subprocess.Popen(
        [*COMMAND, "approve", task, "--yes", "--home", str(world.home.path)],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        seen = _read_until(ours, b"Passphrase of the approval key")
        until(lambda: not termios.tcgetattr(ours)[3] & termios.ECHO)
        os.write(ours, b"not this one\n")
        again = _read_until(ours, b"try again.")
        if b"Passphrase of the approval key" not in again:  # both may come in one read
            again += _read_until(ours, b"Passphrase of the approval key")
        seen += again
        until(lambda: not termios.tcgetattr(ours)[3] & termios.ECHO)
        os.write(ours, PASSPHRASE.encode() + b"\n")
        seen += _read_until(ours, None)
        assert process.wait(30) == 0
    os.close(ours)
    assert b"not this one" not in seen
    assert PASSPHRASE.encode() not in seen
    assert world.stage(task) is Stage.APPROVED


def test_a_stale_view_of_a_draft_is_not_what_gets_approved(world: World, tmp_path: Path) -> None:
    """Between showing and signing, the owner's other machine published another text."""
    task = world.ask_for(text="Old\n")
    file = tmp_path / "text.txt"
    file.write_text("New\n", encoding="utf-8")
    argv = [*COMMAND, "approve", task, "--home", str(world.home.path), "--passphrase-fd"]
    reading, writing = os.pipe()
    os.write(writing, PASSPHRASE.encode() + b"\n")
    os.close(writing)
    with subprocess.Popen(
        [*argv, str(reading)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        pass_fds=(reading,), encoding="utf-8",
    ) as process:  # fmt: skip
        os.close(reading)
        assert process.stdin is not None
        assert process.stdout is not None
        shown = ""
        while "The note and its original" not in shown:
            line = process.stdout.readline()
            assert line, f"it ended early: {shown}"
            shown += line
        assert world.run("edit", task, "--text-file", str(file), "--no-approve").code == 0
        _, err = process.communicate("y\n", timeout=60)
    assert process.returncode == 1
    assert "at revision 2 since you saw revision 1" in err
    assert world.stage(task) is Stage.PENDING_APPROVAL


def test_the_home_is_private(world: World) -> None:
    world.approve(world.ask_for(), "--yes")
    for path in [world.home.path, *Home(world.home.path).path.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.parent == world.home.path or path.parent.name in ("keys", "this-machine", "run"):
            assert not mode & 0o077 or path.name == "state", path
    assert stat.S_IMODE(world.home.path.stat().st_mode) == 0o700


def _read_until(terminal: int, wanted: bytes | None) -> bytes:
    seen = b""
    while wanted is None or wanted not in seen:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            part = b""
        if not part:
            assert wanted is None, seen
            break
        seen += part
    return seen


def test_records_of_a_batch_name_each_approval(world: World) -> None:
    tasks = [world.ask_for("One"), world.ask_for("Two")]
    for task in tasks:
        world.approve(task, "--yes")
    records = [
        Record(**{key: value for key, value in row.items() if key != "hash"})
        for row in world.run("log", "--json").json["records"]
    ]
    decided = [record for record in records if record.action_type == "approval.decided"]
    assert [record.parameters["approval"] for record in decided] == [
        next(s.approval.id for s in approvals(world) if s.approval.task == task) for task in tasks
    ]
