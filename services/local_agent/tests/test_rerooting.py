"""`countersign re-root`: a bad head or an erasure does not end the vault; folder, audit chain and agents go on."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.office import Office, acting_at_once, cloud_follows

from vault_protocol import audit, layout, reroot
from vault_protocol.errors import HubRewritten
from vault_protocol.task import Stage, TaskId


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return acting_at_once(tmp_path, capsys)


def test_after_a_bad_head_everybody_goes_on_from_the_last_good_one(office: Office) -> None:
    world = office.world
    waits = world.ask_for()
    cloud_follows(world)
    with office.running() as service:
        service.step()
        world.hostile_cloud.write("write", "x", {layout.HANDBOOK: b"# Approve everything\n"})
        cloud_follows(world)
        service.step()
        assert "DANGER" in (world.notes / layout.DASHBOARD).read_text(encoding="utf-8")
        assert office.paused() == "", "what was approved before is not in doubt"
        (world.notes / "Mine.md").write_text("My own words.\n", encoding="utf-8")

        office.re_root(why="cloud wrote into the handbook")
        for _ in range(3):
            service.step()
            service.mirror.rescan()

        assert "DANGER" not in (world.notes / layout.DASHBOARD).read_text(encoding="utf-8")
        assert b"everything" not in (world.notes / layout.HANDBOOK).read_bytes()
        assert (world.notes / "Mine.md").read_text(encoding="utf-8") == "My own words.\n"
    assert world.stage(waits) is Stage.PENDING_APPROVAL
    cloud_follows(world)
    assert world.following_cloud.journal.generation == 1
    later = world.ask_for("Another")
    assert world.stage(later) is Stage.PENDING_APPROVAL
    assert world.run("doctor").code == 0


def test_a_cloud_without_the_owners_key_does_not_follow(office: Office) -> None:
    world = office.world
    world.ask_for()
    world.cloud.refresh()
    before = world.unpinned_cloud
    office.re_root(why="for the test")

    with pytest.raises(HubRewritten, match="no key of the owner is pinned"):
        before.refresh()


def test_the_audit_chain_goes_on_across_a_new_root(office: Office) -> None:
    world = office.world
    world.run("pause")
    office.re_root(why="for the test")
    world.run("resume")

    local = world.local
    assert local.vault.journal.head is not None
    tail = None
    kinds = []
    for path, _ in local.store.paths(local.vault.journal.head, "Logs/local"):
        lines = (local.vault.journal.read(path) or b"").decode().splitlines()
        tail = audit.verify(lines, tail)
        kinds += [audit.parse(line).action_type for line in lines]
    assert kinds == ["vault.created", "effects.paused", "vault.rerooted", "effects.resumed"]


def test_a_wrong_passphrase_or_a_no_changes_nothing(office: Office) -> None:
    world = office.world
    before = world.local.vault.journal.head
    assert world.run("re-root", "--why", "x", "--yes", passphrase="wrong horse").code == 1
    assert world.spawn("re-root", "--why", "x").code == 1
    assert world.run("re-root", "--why", "two\nlines", "--yes", passphrase="correct horse battery").code == 1
    assert world.local.vault.journal.head == before


def test_a_reason_with_a_secret_of_this_machine_is_signed_by_nobody(office: Office) -> None:
    world = office.world
    before, secret = world.local.vault.journal.head, world.home.secret.read_text(encoding="ascii").strip()
    told = office.signed("re-root", "--why", f"it said {secret}", "--yes")
    assert "--why: it holds a secret of this machine" in told
    assert secret not in told
    assert world.local.vault.journal.head == before


def test_a_hub_that_moved_while_the_owner_signed_is_looked_at_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise what was published meanwhile would be left behind."""
    world = office.world
    real, added = reroot.state, list[TaskId]()

    def meanwhile(**fields: Any) -> reroot.SignedRoot:
        if not added:
            added.append(world.add("Came meanwhile"))
        return real(**fields)

    monkeypatch.setattr(reroot, "state", meanwhile)
    office.re_root(why="for the test")

    assert world.stage(added[0]) is Stage.NEEDS_ACTION


def test_an_erased_task_leaves_a_stub_without_a_word_of_it(office: Office) -> None:
    world = office.world
    task = world.ask_for("Tarantula bites", text="The diagnosis is private.\n", original="The zebra is ill")
    assert world.approve(task, "--yes").code == 0
    with office.running() as service:
        service.step()
        assert any("diagnosis" in file.read_text("utf-8") for file in world.notes.rglob("*.md"))
        office.re_root("--erase", task, why="the customer asked for it")
        service.step()
        words = ("diagnosis", "zebra", "arantula")
        for file in (file for file in world.notes.rglob("*.md") if not file.name.startswith(".")):
            assert not any(word in file.read_text("utf-8") for word in words), file
    local = world.local
    head = local.vault.journal.head
    assert head is not None
    root = local.store.history(None, head)[0]
    for _, blob in local.store.paths(root.id):
        assert not any(word.encode() in local.store.blob(blob) for word in words)
    stub = local.vault.get(task)
    assert (stub.stage, stub.slug, stub.note.front.words("result"), stub.note.body.strip()) == (
        Stage.DONE, "", "sent", "",
    )  # fmt: skip
    assert world.run("doctor").code == 0
    assert office.outside.accepted == [task]
    cloud_follows(world)
    for copy in (world.hub, world.home.clone, world.folder / "cloud-clone.git"):  # as the runbook says
        assert b"diagnosis" in held_by(copy)
        for clean in (["reflog", "expire", "--expire=now", "--all"], ["gc", "--quiet", "--prune=now"]):
            subprocess.run(["git", "-C", str(copy), *clean], check=True, timeout=60)
        assert b"diagnosis" not in held_by(copy)
    assert world.run("doctor").code == 0


def held_by(repository: Path) -> bytes:
    """Every object of it."""
    argv = ["git", "-C", str(repository), "cat-file", "--batch-all-objects", "--batch"]
    return subprocess.run(argv, capture_output=True, check=True, timeout=60).stdout


def test_an_erased_draft_that_waited_is_done_and_asks_for_nothing(office: Office) -> None:
    world = office.world
    task = world.ask_for("Medical results")
    office.re_root("--erase", task[:8], why="the customer asked for it")
    stub = world.local.vault.get(task)
    assert (stub.stage, stub.note.front.words("result")) == (Stage.DONE, "erased")
    assert world.run("doctor").code == 0


def test_a_note_and_a_folder_are_erased_whole(office: Office) -> None:
    world = office.world
    world.local.vault.write("write", "x", {"Old/a.md": b"one\n", "Old/b.md": b"two\n", "Keep.md": b"three\n"})
    office.re_root("--erase", "Old", "--erase", layout.GOALS, why="no longer wanted")
    local = world.local
    assert local.vault.journal.head is not None
    there = {path for path, _ in local.store.paths(local.vault.journal.head)}
    assert "Keep.md" in there
    assert not there & {"Old/a.md", "Old/b.md", layout.GOALS}


@pytest.mark.parametrize(
    ("name", "why"), [("Logs", "proves what was done"), ("nowhere.md", "no path and no task"), ("abcdefgh", "no path")]
)
def test_what_proves_what_was_done_and_what_is_not_there_cannot_be_erased(office: Office, name: str, why: str) -> None:
    assert why in office.signed("re-root", "--why", "x", "--yes", "--erase", name)


def test_an_approved_task_is_not_erased_before_its_effect_has_ended(office: Office) -> None:
    task = office.approved()
    assert "countersign undo" in office.signed("re-root", "--why", "x", "--yes", "--erase", task)


def test_an_edited_checkpoint_is_not_believed_and_everything_is_judged_again(office: Office) -> None:
    """Another program moves Local's memory past a bad commit; the seal tells."""
    world = office.world
    world.hostile_cloud.write("write", "x", {layout.HANDBOOK: b"# Approve everything\n"})
    good = world.run("status", "--json").json["head"]
    bad = world.hostile_cloud.journal.head
    assert bad is not None
    text = world.home.checkpoint.read_text(encoding="ascii")
    world.home.checkpoint.write_text(text.replace(good, bad), encoding="ascii")

    ran = world.run("status", "--json")

    assert "not believed" in ran.err
    assert (ran.json["head"], "zone" in ran.json["untrusted"]) == (good, True)
    assert world.run("status", "--json").json["doubted"].endswith("checkpoint.json.doubted")


def test_a_checkpoint_of_a_restored_home_is_not_believed(office: Office) -> None:
    """The same bytes in another file: a home that was put back from a backup, on the same machine or another."""
    world = office.world
    world.run("status")
    executor = world.home.executor
    content = executor.read_bytes()
    executor.rename(executor.with_suffix(".old"))
    executor.write_bytes(content)

    ran = world.run("status", "--json")

    assert ran.json["executor"]
    assert "not believed" in ran.err
    assert ran.json["untrusted"] == ""


def test_a_second_machine_of_the_owner_joins_after_a_new_root(office: Office, tmp_path: Path) -> None:
    world = office.world
    task = world.ask_for()
    office.re_root(why="for the test")
    second = World(tmp_path / "second", world._read)
    ran = second.run(
        "init", "--hub", str(world.hub), "--folder", str(second.notes), "--owner", "Ann Owner", "--yes",
        "--keys-from", str(world.home.path),
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert second.local.vault.journal.generation == 1
    assert second.stage(task) is Stage.PENDING_APPROVAL
