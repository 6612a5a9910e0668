"""`run`, `unlock`, `lock`, and the exit codes of every command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import COMMAND, PASSPHRASE, World, until

from local_agent import cli
from vault_protocol import layout
from vault_protocol.task import Stage


def test_the_service_fills_the_folder_unlocks_locks_and_ends_on_sigterm(world: World) -> None:
    with world.service() as process:
        until(lambda: (world.notes / layout.HANDBOOK).exists())
        assert world.run("status", "--json").json["unlocked_until"] is None
        wrong = world.run("unlock", passphrase="wrong horse")
        assert (wrong.code, wrong.err) == (1, "countersign: approval: the passphrase does not open it\n")
        ran = world.run("unlock", "--minutes", "3", passphrase=PASSPHRASE)
        assert (ran.code, ran.out[:14]) == (0, "Unlocked until")
        assert world.run("status", "--json").json["unlocked_until"]
        assert world.run("lock").code == 0
        assert world.run("status", "--json").json["unlocked_until"] is None
        second = world.spawn("run")
        assert (second.code, second.err.count("\n")) == (1, 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not world.home.socket.exists()


def test_unlock_and_lock_need_the_service(world: World) -> None:
    for command in ("unlock", "lock"):
        ran = world.run(command, passphrase=PASSPHRASE if command == "unlock" else None)
        assert (ran.code, ran.err) == (1, "countersign: the service is not running; start it with `countersign run`\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"], ["list"], ["show", "x"], ["approve", "x"], ["edit", "x"],
        ["reject", "x"],
        ["again", "x", "--remark", "r"], ["ack", "x"],
        ["undo", "x"], ["log"], ["doctor"], ["pause"], ["resume"], ["dry-run"], ["unlock"], ["lock"],
        ["resolve", "x", "--sent"], ["run"],
    ],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_without_a_home_every_command_ends_with_one_line_that_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    command, *rest = arguments
    for flags in ([], ["--json"]):
        assert cli.main([command, *rest, "--home", str(tmp_path / "none"), *flags]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err == f"countersign: no Countersign home at {tmp_path / 'none'}; run `countersign init` first\n"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("argv", [["lsit"], ["list", "--wrong"], ["show"], ["unlock", "--minutes", "many"]])
def test_a_wrong_command_line_ends_with_one_line(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(argv) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("countersign: ")
    assert said.err.count("\n") == 1


def test_a_bug_ends_with_3_and_a_traceback(world: World) -> None:
    world.home.pinned.write_text("{", encoding="utf-8")
    ran = world.run("list")
    assert ran.code == 3
    assert "Traceback" in ran.err


def test_a_home_that_may_not_be_written_is_no_bug(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    world = World(tmp_path, capsys.readouterr)
    world.home = type(world.home)(tmp_path / "file" / "home")
    ran = world.init()
    assert ran.code == 1
    assert ran.err.count("\n") == 1


def test_ctrl_c_ends_with_130(world: World) -> None:
    task = world.ask_for()
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [*COMMAND, "approve", task, "--home", str(world.home.path)],
        stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        assert process.stderr is not None
        seen = b""
        while b"[y/N]" not in seen:
            seen += process.stderr.read(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    os.close(ours)
    assert world.stage(task) is Stage.PENDING_APPROVAL


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    said = capsys.readouterr().out
    for command in [
        "init",
        "run",
        "status",
        "list",
        "show",
        "approve",
        "edit",
        "reject",
        "again",
        "ack",
        "undo",
        "log",
        "doctor",
        "pause",
        "resume",
        "dry-run",
        "unlock",
        "lock",
        "resolve",
    ]:
        assert f"\n  {command} " in said


def test_a_closed_pipe_is_no_bug(world: World) -> None:
    script = f"{sys.executable} -m local_agent log --home '{world.home.path}' | true"
    done = subprocess.run(["sh", "-c", script], capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert "Traceback" not in done.stderr
