"""A payment needs more than an unlocked key, whichever way the owner decides."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import PASSPHRASE, World, approvals
from services.local_agent.tests.transferring import transfer

from local_agent.decisions import How
from local_agent.signers import signer
from local_agent.step_up import FRESH, StepUpNeeded, step_up
from vault_protocol.keys import KeyLocked, WrongPassphrase
from vault_protocol.task import Stage
from vault_protocol.testing import TestClock


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    world = World(tmp_path, capsys.readouterr)
    assert world.init("--no-dry-run", "--undo-seconds", "30").code == 0
    return world


def test_a_command_asks_for_the_passphrase_and_the_approval_says_so(world: World) -> None:
    task = world.ask_for(action=transfer())
    ran = world.approve(task, "--yes")
    assert ran.code == 0, ran.err
    [signed] = approvals(world)
    assert signed.approval.step_up == "passphrase"


def test_a_mail_is_approved_without_a_word_about_it(world: World) -> None:
    world.approve(world.ask_for(), "--yes")
    [signed] = approvals(world)
    assert signed.approval.step_up == "none"
    assert b"step_up" not in signed.approval.canonical()


def test_a_key_that_was_unlocked_for_the_service_does_not_approve_a_payment(world: World) -> None:
    task = world.ask_for(action=transfer())
    local = world.local
    cached = signer(world.home, local.settings)
    cached.unlock(PASSPHRASE, 15)
    with pytest.raises(StepUpNeeded, match="passphrase again"):
        local.desk.approve(local.vault.get(task), sign=cached.sign, how=How.PAGE)
    assert world.stage(task) is Stage.PENDING_APPROVAL
    stepped = step_up(world.home, local.settings, PASSPHRASE)
    local.desk.approve(local.vault.get(task), sign=stepped, how=How.PAGE)
    assert world.stage(task) is Stage.APPROVED


def test_being_asked_holds_for_a_short_while_only(world: World) -> None:
    clock = TestClock()
    stepped = step_up(world.home, world.local.settings, PASSPHRASE, clock)
    stepped(b"now")
    clock.tick(FRESH + timedelta(seconds=1))
    with pytest.raises(StepUpNeeded, match="too long ago"):
        stepped(b"later")


@pytest.mark.parametrize(("given", "error"), [(None, KeyLocked), ("", KeyLocked), ("not it", WrongPassphrase)])
def test_without_the_passphrase_there_is_no_step_up(world: World, given: str | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        step_up(world.home, world.local.settings, given)


def test_a_key_without_a_passphrase_approves_no_payment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(tmp_path, capsys.readouterr)
    ran = world.run(
        "init", "--hub", str(world.hub), "--folder", str(world.notes), "--owner", "Ann Owner", "--yes",
        "--pin", f"cloud={world.folder / 'cloud.pub'}", "--key-protection", "none",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    task = world.ask_for(action=transfer())
    ran = world.run("approve", task, "--yes")
    assert ran.code == 1
    assert "payments need one" in ran.err
    assert world.stage(task) is Stage.PENDING_APPROVAL


def test_a_payment_is_shown_whole_and_a_new_payee_is_said(world: World) -> None:
    config = world.home.config
    account = (
        f'[[payments]]\nname = "main"\nholder = "Ann"\niban = "DE02120300000000202051"\nfolder = "{world.folder}"\n'
    )
    config.write_text(config.read_text(encoding="utf-8") + "\n" + account, encoding="utf-8")
    out = world.run("show", world.ask_for(action=transfer())).out
    for part in ("transfer 119.00 EUR", "Paper Mill GmbH", "DE89 3704 0044 0532 0130 00", "R-2026-17", "New payee"):
        assert part in out
