"""Cloud shows that it is there, at a bounded cost, and follows the owner's new root."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from services.cloud_agent.tests.world import CLOUD, LOCAL, World, mail

from cloud_agent.__main__ import main
from cloud_agent.housekeeping import HEARTBEAT
from vault_protocol import keys, reroot, sshsig, updates
from vault_protocol.errors import HubRewritten
from vault_protocol.hub import CommitId
from vault_protocol.task import Stage

OWNER_KEY = keys.new()


def commits(world: World) -> int:
    assert world.hub.head is not None
    return len(world.store.history(None, world.hub.head))


def test_an_idle_agent_says_that_it_is_alive_once_in_each_interval_and_in_one_line(tmp_path: Path) -> None:
    """A day of looking every five seconds: 144 commits, and a file that does not grow."""
    world = World(tmp_path)
    world.works()
    before = commits(world)
    for _ in range(24 * 60):
        world.waits(60)
        world.works()
    assert commits(world) - before == timedelta(days=1) // HEARTBEAT == 144
    assert world.read(updates.alive_path(CLOUD)).count("\n") == 1


def test_an_agent_that_is_started_again_and_again_says_no_more(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.works()
    before = commits(world)
    for _ in range(20):
        world.start()
        world.waits(5)
        world.works()
    assert commits(world) == before


def test_an_agent_that_tells_of_its_work_needs_no_other_sign(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.works()
    first = world.read(updates.alive_path(CLOUD))
    for number in range(6):
        world.waits(HEARTBEAT.total_seconds() - 60)
        world.receives(mail(f"Question {number}", message_id=f"<{number}@elsewhere.example>"))
        world.works()
    assert world.read(updates.alive_path(CLOUD)) == first


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-400)])
def test_a_clock_that_jumped_raises_no_storm_and_silences_nobody(tmp_path: Path, jump: timedelta) -> None:
    world = World(tmp_path)
    world.receives(mail())
    world.works()
    world.clock.jump(jump)
    before = commits(world)
    for _ in range(20):
        world.waits(1)
        world.works()
    assert commits(world) - before == 1, "it is still heard, and only once"


def root_of(world: World, left: CommitId) -> CommitId:
    """What the owner's `countersign re-root` makes."""
    signed = reroot.state(
        vault="v1", generation=1, left=left, tree=world.store.tree(left), trails=world.local.journal.trails,
        reason="for the test", by="Olive Owner", now=world.clock.now(),
        sign=lambda message: sshsig.sign(OWNER_KEY, message, namespace=reroot.NAMESPACE),
    )  # fmt: skip
    return world.store.root(left, message=signed.message(), author=LOCAL, at=world.clock.now())


def test_cloud_with_the_owners_key_follows_a_new_root_and_brings_again_what_it_left_behind(tmp_path: Path) -> None:
    world = World(tmp_path, owner=sshsig.PublicKey.of(OWNER_KEY))
    world.receives(mail("First"))
    world.works()
    world.local.refresh()
    good = world.local.journal.head
    assert good is not None
    raw = mail("Lost", message_id="<2@elsewhere.example>")
    world.receives(raw)
    world.works()
    world.hub.replace(root_of(world, good), seen=world.hub.head)

    world.works()
    world.receives(raw)  # as the watcher does, once the generation rose
    world.works()

    assert len(world.tasks(Stage.PENDING_APPROVAL)) == 2
    assert world.local.journal.generation == 1


def test_cloud_without_the_owners_key_stays_and_says_what_is_missing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.works()
    world.local.refresh()
    assert world.local.journal.head is not None
    world.hub.head = root_of(world, world.local.journal.head)
    with pytest.raises(HubRewritten, match="no key of the owner is pinned here"):
        world.worker.step()


def test_init_pins_the_owners_key_once_and_never_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home, line = tmp_path / "home", sshsig.PublicKey.of(OWNER_KEY).line("approval")
    assert main(["init", "--home", str(home)]) == 0
    assert "No owner's key is pinned" in capsys.readouterr().err
    file = tmp_path / "approval.pub"
    file.write_text(line + "\n", encoding="ascii")
    for given in (line, str(file)):
        assert main(["init", "--home", str(home), "--owner-key", given]) == 0
    assert keys.load_public(home / "keys" / "owner.pub") == sshsig.PublicKey.of(OWNER_KEY)
    assert main(["init", "--home", str(home)]) == 0
    assert "No owner's key" not in capsys.readouterr().err

    other = sshsig.PublicKey.of(keys.new()).line()
    assert main(["init", "--home", str(home), "--owner-key", other]) == 1
    assert "a pinned key is never replaced" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["ssh-rsa AAAA", "nowhere.pub", "ssh-ed25519 x y"])
def test_what_is_no_key_of_an_owner_is_one_line(tmp_path: Path, given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--home", str(tmp_path / "home"), "--owner-key", given]) == 1
    assert capsys.readouterr().err.count("\n") == 1
