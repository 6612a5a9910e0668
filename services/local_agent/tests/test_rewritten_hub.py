"""A hub that was put back, rewritten or emptied: nothing is sent, nothing is forgotten, and the owner decides."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.office import Office, acting_at_once

from vault_protocol import layout, remote
from vault_protocol.task import Stage


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return acting_at_once(tmp_path, capsys)


def test_a_hub_restored_from_before_an_approved_effect_sends_nothing_again_and_gets_back_what_it_lost(
    office: Office,
) -> None:
    world = office.world
    world.ask_for("Before")
    office.back_up()
    task = office.approved()
    with office.running() as service:
        service.step()
        assert (office.outside.accepted, world.stage(task)) == ([task], Stage.DONE)
        office.restore()
        for _ in range(2):
            service.step()
        shown = (world.notes / layout.DASHBOARD).read_text(encoding="utf-8")
        assert "[!danger]" in shown
        assert "put back to an older state" in shown
    status = world.run("status", "--json").json
    assert status["rewritten"]
    assert "put back" in status["paused"]
    assert "give-back" in world.run("status").out

    with office.running() as service:
        service.step()
    refused = world.run("resume")
    assert (refused.code, office.outside.accepted) == (1, [task])
    assert "you can: wait" in refused.err
    given = world.run("give-back", "--json").json
    assert given["given_back"] >= 3
    assert world.run("resume").code == 0

    again = office.approved("Another")
    with office.running() as service:
        service.step()
        service.step()
        assert "[!danger]" not in (world.notes / layout.DASHBOARD).read_text(encoding="utf-8")
    assert office.outside.accepted == [task, again]
    assert world.run("doctor").code == 0


def test_where_cloud_wrote_on_onto_the_restored_hub_a_new_root_leads_on(office: Office) -> None:
    world = office.world
    office.back_up()
    task = office.approved()
    with office.running() as service:
        service.step()
    office.restore()
    shutil.rmtree(world.folder / "cloud-clone.git")
    world.add("Written onto the older state")
    with office.running() as service:
        service.step()
    assert "another way" in office.paused()
    refused = world.run("give-back")
    assert (refused.code, "re-root" in refused.err) == (1, True)

    office.re_root()

    status = world.run("status", "--json").json
    assert (status["untrusted"], status["generation"]) == ("", 1)
    assert status["paused"], "ending the pause is a decision of its own"
    assert world.run("resume").code == 0
    assert world.stage(task) is Stage.DONE
    again = office.approved("Another")
    with office.running() as service:
        service.step()
    assert office.outside.accepted == [task, again]
    assert world.run("doctor").code == 0
    assert world.audit().count("vault.rerooted") == 1


def test_effects_stay_held_when_the_hub_comes_back_by_itself_until_the_owner_resumes(office: Office) -> None:
    world = office.world
    office.back_up()
    task = office.approved()
    office.back_up("newest")
    office.restore()
    with office.running() as service:
        service.step()
        office.restore("newest")
        service.step()
    with office.running() as service:
        service.step()
    assert (office.outside.accepted, world.stage(task)) == ([], Stage.APPROVED)
    assert world.run("resume").code == 0
    with office.running() as service:
        service.step()
    assert office.outside.accepted == [task]


def emptied(world: World) -> None:
    shutil.rmtree(world.hub)
    remote.create(world.hub)


def another_vault(world: World) -> None:
    elsewhere = World(world.folder / "elsewhere", world._read)
    (elsewhere.folder / "passphrase").write_text("correct horse battery\n", encoding="utf-8")
    assert elsewhere.init().code == 0
    shutil.rmtree(world.hub)
    shutil.copytree(elsewhere.hub, world.hub)


@pytest.mark.parametrize(
    ("become", "words"), [(emptied, "the hub is empty"), (another_vault, "another vault")],
    ids=["emptied", "another vault"],
)  # fmt: skip
def test_an_emptied_hub_and_another_vault_at_its_address_hold_effects_and_a_new_root_leads_on(
    office: Office, become: object, words: str
) -> None:
    assert callable(become)
    world = office.world
    task = office.approved()
    become(world)
    with office.running() as service:
        service.step()
    assert (words in office.paused(), office.outside.accepted) == (True, [])

    office.re_root()
    assert world.run("resume").code == 0
    with office.running() as service:
        service.step()
    assert office.outside.accepted == [task]


def test_a_pause_of_the_owners_own_is_not_overwritten(office: Office) -> None:
    office.back_up()
    office.approved()
    assert office.world.run("pause", "--why", "on holiday").code == 0
    office.restore()
    assert office.paused() == "on holiday"
