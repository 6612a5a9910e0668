"""Every disk of the gate without room, in turn: whose disk it is says so, and with room all goes on, each mail once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from demo.processes import eventually
from demo.world import DemoFailed, world
from tests.e2e.conftest import Gate
from tests.e2e.full import CannotMount, SmallDisk, small_disk
from tests.e2e.test_full_disk import half_written
from vault_protocol import remote
from vault_protocol.task import Stage

pytestmark = [pytest.mark.prove, pytest.mark.xdist_group("full disks")]

PLACES = ("owners-machine", "cloud-vm", "vault", "hub.git")
ROOM = {"hub.git": 8, "vault": 8, "cloud-vm": 8, "owners-machine": 8}


@dataclass
class Cramped(Gate):
    """A gate whose every part has a small disk of its own."""

    disks: dict[str, SmallDisk] = field(default_factory=dict)

    def status(self) -> dict[str, str]:
        return dict(json.loads(self.world.countersign("status", "--json")))


@pytest.fixture(scope="module")
def cramped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cramped]:
    folder = tmp_path_factory.mktemp("cramped")
    with ExitStack() as stack:
        try:
            disks = {
                name: stack.enter_context(small_disk(folder / name, megabytes=size)) for name, size in ROOM.items()
            }
        except CannotMount as why:
            pytest.skip(f"NOT PROVED HERE, no small disk can be mounted ({why}); only the limit on files is")
        made = stack.enter_context(world(folder))
        remote.create(made.hub)
        made.set_up(undo_seconds=0)
        made.allow(mail_per_hour=100_000)
        yield Cramped(made, made.tail(), disks=disks)


@pytest.fixture(autouse=True)
def order_afterwards(cramped: Cramped) -> Iterator[None]:
    """No test finds the agents or the ballast of the one before."""
    yield
    cramped.world.stop()
    for disk in cramped.disks.values():
        disk.empty()


def words_of(gate: Cramped, place: str) -> str:
    """What those who work there say while it is full."""
    if place in ("owners-machine", "vault"):
        return str(gate.status()["disk"])
    return gate.world.log_of("cloud")


def tries(gate: Cramped, *arguments: str) -> str:
    """A command that signs; what it says in one line when it cannot."""
    try:
        gate.world.with_passphrase(*arguments)
    except DemoFailed as error:
        said = str(error)
    else:
        return ""
    assert "ended with 1:" in said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("place", PLACES)
def test_a_full_disk_is_told_where_it_is_and_then_everything_goes_on_once(cramped: Cramped, place: str) -> None:
    made, disk = cramped.world, cramped.disks[place]
    made.start_cloud()
    made.start_local()
    agents = (made.cloud, made.local)
    first = cramped.ask()
    task = cramped.at(first, Stage.PENDING_APPROVAL)
    cramped.in_folder(task)
    begun = len(made.log_of("cloud"))

    disk.fill()
    said = tries(cramped, "approve", task.id, "--yes")
    if place in ("owners-machine", "hub.git"):
        assert "o room left" in said or "No space left" in said
    second = cramped.ask()

    def told() -> bool:
        words = words_of(cramped, place)[begun if place in ("cloud-vm", "hub.git") else 0 :]
        return "no room left" in words or "No space left" in words

    eventually(told, f"{place} is said to be full", seconds=60)
    disk.empty()

    if said:
        cramped.at(first, Stage.PENDING_APPROVAL)
        assert cramped.sent_to(first) == []
        eventually(lambda: not tries(cramped, "approve", task.id, "--yes"), "the approval is taken", seconds=90)
    cramped.at(first, Stage.DONE)
    later = cramped.at(second, Stage.PENDING_APPROVAL)
    cramped.in_folder(later)
    eventually(lambda: not tries(cramped, "approve", later.id, "--yes"), "the approval is taken", seconds=90)
    cramped.at(second, Stage.DONE)
    assert [len(cramped.sent_to(topic)) for topic in (first, second)] == [1, 1]
    eventually(lambda: cramped.status()["disk"] == "ok", "Local says that all is well", seconds=90)
    eventually(lambda: not remote.fsck(made.hub), "the hub is whole")
    assert [agent.poll() if agent else 0 for agent in agents] == [None, None], "one of them ended"
    made.stop()
    assert half_written(made.folder) == []
    if place == "vault":
        assert sorted(Path(made.vault_folder / "Done").rglob("*.md"))


@pytest.mark.parametrize("kib", [0, 16, 64, 256, 768, 1200])
def test_approved_and_then_no_room_is_sent_once_there_is_and_the_approval_is_not_used_up(
    cramped: Cramped, kib: int
) -> None:
    """The service begins on a disk with so much room; below what the ledger wants nothing may start."""
    made, disk = cramped.world, cramped.disks["owners-machine"]
    made.start_cloud()
    topic = cramped.ask()
    task = cramped.at(topic, Stage.PENDING_APPROVAL)
    made.with_passphrase("approve", task.id, "--yes")
    disk.fill(leave=kib << 10)
    begun = len(made.log_of("local"))
    made.start_local()
    if kib < 1024:
        eventually(
            lambda: any(words in made.log_of("local")[begun:] for words in ("no room left", "MiB left")),
            "Local says that there is no room", seconds=60,
        )  # fmt: skip
        assert cramped.sent_to(topic) == []
        disk.empty()
    cramped.at(topic, Stage.DONE)
    disk.empty()
    assert len(cramped.sent_to(topic)) == 1
    made.stop()
