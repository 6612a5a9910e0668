"""`undo` and `resolve`: the owner's word against the executor, whoever is first."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World

from local_agent.effects import Ledger, State
from local_agent.limits import MANY
from local_agent.taking_back import approvals
from vault_protocol.approval import Approval
from vault_protocol.task import Stage


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    world = World(tmp_path, capsys.readouterr)
    assert world.init("--no-dry-run").code == 0
    return world


def approved(world: World) -> tuple[str, Approval]:
    task = world.ask_for()
    assert world.approve(task, "--yes").code == 0
    local = world.local
    [signed] = approvals(local, local.vault.get(task))
    return task, signed.approval


def begin(world: World, approval: Approval, state: State | None = None) -> str:
    """What the mail server would have written down."""
    with closing(Ledger(world.home.ledger)) as ledger:
        now = world.local.clock.now()
        effect, fresh = ledger.begin("effect-1", "mail", approval, now=now, limit=MANY, dry_run=False)
        assert fresh
        if state is not None:
            ledger.end(effect.id, state, now=now, detail="not in Sent")
        return effect.id


def test_undo_spends_the_approval_and_brings_the_draft_back(world: World) -> None:
    task, approval = approved(world)
    ran = world.run("undo", task[:6], "--json")
    assert (ran.code, ran.json["stage"]) == (0, "Pending_Approval")
    assert world.local.vault.get(task).note.front.words("reopened_because") == "undone by the owner"
    assert world.audit()[-1] == "approval.taken_back"
    with closing(Ledger(world.home.ledger)) as ledger:
        assert [effect.state for effect in ledger.of_task(task)] == [State.REFUSED]
        assert ledger.revoke(approval, now=world.local.clock.now())
    assert world.approve(task, "--yes").code == 0
    assert world.stage(task) is Stage.APPROVED


@pytest.mark.parametrize("state", [None, State.UNKNOWN, State.CONFIRMED])
def test_undo_comes_too_late_once_something_was_started(world: World, state: State | None) -> None:
    task, approval = approved(world)
    begin(world, approval, state)
    ran = world.run("undo", task)
    assert ran.code == 1
    assert "too late" in ran.err
    assert world.stage(task) is Stage.APPROVED


def test_undo_takes_back_what_surely_did_not_happen(world: World) -> None:
    task, approval = approved(world)
    begin(world, approval, State.NOT_DONE)
    assert world.run("undo", task).code == 0
    assert world.stage(task) is Stage.PENDING_APPROVAL


def test_undo_of_what_is_not_approved_is_an_error(world: World) -> None:
    task = world.ask_for()
    ran = world.run("undo", task)
    assert (ran.code, "is in Pending_Approval" in ran.err) == (1, True)


def test_an_approval_for_another_machine_cannot_be_taken_back_here(world: World) -> None:
    task, _ = approved(world)
    world.home.executor.unlink()
    ran = world.run("undo", task)
    assert ran.code == 1
    assert "on another machine" in ran.err


def test_not_sent_brings_an_unsure_effect_back_to_the_owner(world: World) -> None:
    task, approval = approved(world)
    effect = begin(world, approval, State.UNKNOWN)
    assert "countersign resolve" in world.run("status").out
    assert world.run("resolve", task).err.startswith("countersign: say what you found out")
    ran = world.run("resolve", task, "--not-sent", "--json")
    assert (ran.code, ran.json["stage"]) == (0, "Pending_Approval")
    with closing(Ledger(world.home.ledger)) as ledger:
        settled = ledger.get(effect)
        assert settled is not None
        assert settled.state is State.REFUSED
        late = ledger.end(effect, State.UNKNOWN, now=world.local.clock.now())
        assert late.state is State.REFUSED
    assert world.audit()[-1] == "effect.resolved"


def test_sent_is_noted_and_left_to_the_service_to_finish(world: World) -> None:
    task, approval = approved(world)
    effect = begin(world, approval, State.UNKNOWN)
    ran = world.run("resolve", task, "--sent", "--json")
    assert (ran.code, ran.json) == (0, {"id": task, "stage": "Approved", "sent": True})
    with closing(Ledger(world.home.ledger)) as ledger:
        settled = ledger.get(effect)
        assert settled is not None
        assert settled.state is State.CONFIRMED
    assert world.run("resolve", task, "--sent").code == 1


def test_the_approval_of_an_undone_draft_is_never_started(world: World) -> None:
    task, approval = approved(world)
    world.run("undo", task)
    with closing(Ledger(world.home.ledger)) as ledger, pytest.raises(Exception, match="took this approval back"):
        ledger.begin(
            "effect-1", "mail", approval, now=world.local.clock.now() + timedelta(minutes=1), limit=MANY, dry_run=False
        )
