"""A hub that is away, a machine that was restored, a ledger that is an old copy: nothing is lost or sent twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo.processes import eventually
from demo.world import DemoFailed, World, world
from local_agent.home import Home
from tests.e2e.conftest import Gate
from vault_protocol.task import Stage


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gate]:
    """Cloud at work, Local set up and not running."""
    with world(tmp_path, resident=request.param == "resident") as made:
        made.set_up(undo_seconds=0)
        made.start_cloud()
        yield Gate(made, made.tail())


def status(made: World) -> dict[str, Any]:
    return dict(json.loads(made.countersign("status", "--json")))


def stop_local(made: World) -> None:
    assert made.local is not None
    made.local.terminate()
    assert made.local.wait(20) == 0


@pytest.mark.both_hubs
def test_while_the_hub_is_away_mail_and_decisions_wait_and_go_on_when_it_returns(home: Gate) -> None:
    made = home.world
    made.start_local()
    topic = home.ask()
    task = home.at(topic, Stage.PENDING_APPROVAL)
    home.in_folder(task)
    made.hub_leaves()
    with pytest.raises(DemoFailed, match="hub"):
        made.with_passphrase("approve", task.id, "--yes")
    later = "Question number 0 about the pages"
    made.mail.provider.deliver(
        f"From: Late <late@studio.example>\r\nSubject: {later}\r\nMessage-ID: <late@studio.example>\r\n\r\n"
        "Could you send us an offer?\r\n".encode(),
        sender="late@studio.example",
    )
    eventually(lambda: status(made)["hub"] != "ok", "status says that the hub is away", seconds=40)
    assert (made.vault_folder / "Dashboard.md").exists(), "the folder stays as it was"
    made.hub_returns()
    home.asked[later] = "late@studio.example"
    home.at(later, Stage.PENDING_APPROVAL)
    made.with_passphrase("approve", task.id, "--yes")
    home.at(topic, Stage.DONE)
    assert len(home.sent_to(topic)) == 1


def test_on_a_restored_machine_the_predecessors_approval_is_void_and_a_new_one_sends_once(home: Gate) -> None:
    made = home.world
    topic = home.ask()
    task = home.at(topic, Stage.PENDING_APPROVAL)
    made.with_passphrase("approve", task.id, "--yes")
    home.at(topic, Stage.APPROVED)
    elsewhere = made.folder / "another-machine" / "home"
    shutil.copytree(made.local_home, elsewhere)
    restored = replace(made, folder=made.folder)
    before = json.loads(Home(made.local_home).executor.read_text(encoding="utf-8"))["executor"]
    restored.home_elsewhere = elsewhere
    restored.start_local()
    try:
        back = home.at(topic, Stage.PENDING_APPROVAL)
        assert "executor" in back.note.front.words("reopened_because")
        assert home.sent_to(topic) == []
        after = json.loads(Home(elsewhere).executor.read_text(encoding="utf-8"))["executor"]
        assert after != before
        restored.with_passphrase("approve", task.id, "--yes")
        home.at(topic, Stage.DONE)
        assert len(home.sent_to(topic)) == 1
    finally:
        restored.stop()


def test_a_ledger_behind_its_last_published_receipt_stops_effects_until_the_owner_decides(home: Gate) -> None:
    made = home.world
    made.start_local()
    first = home.ask()
    made.with_passphrase("approve", home.at(first, Stage.PENDING_APPROVAL).id, "--yes")
    home.at(first, Stage.DONE)
    stop_local(made)
    for file in Home(made.local_home).ledger.parent.glob("ledger.sqlite*"):
        file.unlink()
    second = home.ask()
    task = home.at(second, Stage.PENDING_APPROVAL)
    made.with_passphrase("approve", task.id, "--yes")
    made.start_local()
    eventually(lambda: "old copy" in str(status(made)["paused"]), "effects are paused", seconds=40)
    home.at(second, Stage.APPROVED)
    assert home.sent_to(second) == []
    made.countersign("resume")
    home.at(second, Stage.DONE)
    assert len(home.sent_to(second)) == 1
