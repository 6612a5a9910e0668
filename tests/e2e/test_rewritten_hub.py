"""A hub restored from an older copy, with real agents and real mail: nothing goes out twice, and the owner decides."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from demo.processes import eventually
from demo.world import DemoFailed, World, world
from tests.e2e.conftest import Gate
from vault_protocol import layout
from vault_protocol.task import Stage

pytestmark = pytest.mark.prove


@pytest.fixture
def office(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Gate]:
    """Both agents at work, on a plain remote if the test says nothing else."""
    folder = tmp_path_factory.mktemp("rewritten")
    with world(folder, resident=getattr(request, "param", "git") == "resident") as made:
        made.set_up(undo_seconds=0)
        made.start_cloud()
        made.start_local()
        yield Gate(made, made.tail())


def status(made: World) -> dict[str, Any]:
    return dict(json.loads(made.countersign("status", "--json")))


def approved_and_sent(office: Gate) -> str:
    topic = office.ask()
    office.world.with_passphrase("approve", office.at(topic, Stage.PENDING_APPROVAL).id, "--yes")
    office.at(topic, Stage.DONE)
    return topic


def backed_up(office: Gate, older: str) -> None:
    made = office.world
    made.hub_leaves()
    shutil.copytree(made.machine.repository if made.machine else made.folder / "away.git", made.folder / older)
    made.hub_returns()


def restored(office: Gate, older: str) -> None:
    """The hub as it was; a resident one starts on it once the operator says that this is meant."""
    made = office.world
    if made.machine is None:
        made.hub.rename(made.folder / "newest.git")
        shutil.copytree(made.folder / older, made.hub)
        return
    made.machine.stop()  # killed, it would not know how far it had come
    made.machine.repository.rename(made.folder / "newest.git")
    shutil.copytree(made.folder / older, made.machine.repository)
    with pytest.raises(RuntimeError, match="If it was restored from an older copy on purpose"):
        made.machine.start()
    (made.machine.folder / "state" / "followed.json").unlink()
    made.machine.start()


def local_follows(office: Gate) -> None:
    """Until Local has followed all that is on the hub."""
    checkpoint = office.world.local_home / "state" / "checkpoint.json"

    def followed() -> bool:
        office.tail.new()
        return bool(json.loads(checkpoint.read_text("utf-8"))["head"] == office.tail.head)

    eventually(followed, "Local has followed all", seconds=60)


def both_know_all(office: Gate) -> None:
    """Until Cloud has said its word on what was finished, and Local has it: what one agent alone knew when the hub went
    back nobody can give back, and that agent stops for a new root."""
    checkpoint = office.world.local_home / "state" / "checkpoint.json"

    def quiet() -> bool:
        office.tail.new()
        assert office.tail.head is not None
        line = office.tail.store.history(None, office.tail.head)
        finished = max(number for number, commit in enumerate(line) if commit.message.startswith("finish:"))
        followed = json.loads(checkpoint.read_text("utf-8"))["head"]
        return followed == office.tail.head and any(commit.author == "cloud" for commit in line[finished:])

    eventually(quiet, "both know all", seconds=40)


def restart(made: World) -> None:
    assert made.local is not None
    made.kill(made.local)
    made.start_local()


def test_after_a_rollback_past_an_approved_effect_nothing_is_sent_again_and_the_owner_gives_back_what_was_lost(
    office: Gate,
) -> None:
    made = office.world
    topic = office.ask()
    office.at(topic, Stage.PENDING_APPROVAL)
    shutil.copytree(made.hub, made.folder / "older.git")
    made.with_passphrase("approve", office.at(topic, Stage.PENDING_APPROVAL).id, "--yes")
    office.at(topic, Stage.DONE)
    both_know_all(office)

    restored(office, "older.git")
    eventually(lambda: status(made)["paused"], "effects are held", seconds=40)
    eventually(lambda: "HubRewritten" in made.log_of("cloud"), "Cloud notices too", seconds=40)
    dashboard = made.vault_folder / layout.DASHBOARD
    eventually(lambda: "[!danger]" in dashboard.read_text("utf-8"), "the folder says it", seconds=40)
    restart(made)
    assert status(made)["rewritten"]
    with pytest.raises(DemoFailed, match="Effects stay paused"):
        made.countersign("resume")
    assert len(office.sent_to(topic)) == 1

    made.countersign("give-back")
    made.countersign("resume")
    second = approved_and_sent(office)
    assert (len(office.sent_to(topic)), len(office.sent_to(second))) == (1, 1)
    made.countersign("doctor")


@pytest.mark.parametrize("office", [pytest.param("git", marks=pytest.mark.prove), "resident"], indirect=True)
def test_after_a_fork_the_owners_new_root_is_followed_by_both_agents_and_mail_goes_out_once(office: Gate) -> None:
    made = office.world
    backed_up(office, "older.git")
    first = approved_and_sent(office)
    assert made.cloud is not None
    made.kill(made.cloud)
    restored(office, "older.git")
    shutil.rmtree(made.cloud_home / "state")  # the whole VM was put back
    lost = office.ask()
    made.start_cloud()
    eventually(lambda: "another way" in str(status(made)["untrusted"]), "Local meets the other line", seconds=60)
    with pytest.raises(DemoFailed, match="only `countersign re-root` leads on"):
        made.countersign("give-back")

    made.with_passphrase("re-root", "--why", "the VM was restored from a backup", "--yes")
    made.countersign("resume")
    office.tail = made.tail("tail-again.git")
    second = approved_and_sent(office)
    made.with_passphrase("approve", office.at(lost, Stage.PENDING_APPROVAL).id, "--yes")
    office.at(lost, Stage.DONE)
    assert [len(office.sent_to(topic)) for topic in (first, lost, second)] == [1, 1, 1]
    assert status(made)["generation"] == 1
    made.countersign("doctor")


@pytest.mark.parametrize("office", ["resident"], indirect=True)
def test_what_cloud_signed_nobody_else_gives_back_to_a_resident_hub_and_a_new_root_leads_on_with_it(
    office: Gate,
) -> None:
    made = office.world
    backed_up(office, "older.git")
    topic = office.ask()
    office.at(topic, Stage.PENDING_APPROVAL)
    local_follows(office)
    restored(office, "older.git")
    eventually(lambda: status(made)["rewritten"], "Local notices", seconds=60)

    with pytest.raises(DemoFailed, match=r"cloud signed some .* `countersign re-root"):
        made.countersign("give-back")

    made.with_passphrase("re-root", "--why", "the hub went back", "--yes")
    made.countersign("resume")
    office.tail = made.tail("tail-again.git")
    made.with_passphrase("approve", office.at(topic, Stage.PENDING_APPROVAL).id, "--yes")
    office.at(topic, Stage.DONE)
    assert len(office.sent_to(topic)) == 1
