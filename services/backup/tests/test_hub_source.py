"""The hub's copies, made while it is written to and brought back whole."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from libs.vault_protocol.tests.made import OTHER
from services.backup.tests.hub_in_use import HubInUse, brought_back
from services.vault_hub.tests.hubworld import HubWorld

from backup import git, hub_restored, hub_source
from backup.errors import BackupError, NotProven, SourceFailed
from backup.hub_source import MAIN
from backup.settings import Vault

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubInUse]:
    world = HubWorld(tmp_path)
    try:
        yield HubInUse(world)
    finally:
        world.close()


def test_a_hub_comes_back_with_its_line_its_tasks_and_its_agents(hub: HubInUse, tmp_path: Path) -> None:
    hub.write(3)
    fetched = brought_back(hub.stage(NOW), tmp_path / "out")
    home = tmp_path / "restored"
    hub_restored.build(fetched, home)
    proof = hub_restored.prove(fetched, home)
    assert (proof.head, proof.commits, proof.tasks, proof.findings, proof.later) == (hub.world.head, 4, 3, (), 0)
    for name in ("hub.toml", "owner.pub", "agents/local.json"):
        assert (home / name).read_bytes() == (hub.home / name).read_bytes()
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_head_that_never_stands_still_is_taken_as_it_was_seen(hub: HubInUse, tmp_path: Path) -> None:
    """git leaves out each ref that moves while it makes a bundle, and refuses to make one of nothing."""
    hub.write(2)
    repository = hub.home / hub_source.REPOSITORY
    heads = [hub.world.head, git.run(repository, "rev-parse", f"{MAIN}~1").strip()]
    head, beside, done = repository / MAIN, repository / f"{MAIN}.moving", threading.Event()

    def move() -> None:
        while not done.is_set():
            for commit in heads:
                beside.write_text(f"{commit}\n", encoding="ascii")
                beside.replace(head)

    mover = threading.Thread(target=move)
    mover.start()
    try:
        for number in range(25):
            shutil.rmtree(hub.spool, ignore_errors=True)
            fetched = brought_back(hub.stage(NOW), tmp_path / f"out{number}")
            hub_restored.build(fetched, tmp_path / f"restored{number}")
            assert git.refs(tmp_path / f"restored{number}" / hub_source.REPOSITORY)[MAIN] in heads
    finally:
        done.set()
        mover.join()


def test_what_came_since_is_a_small_bundle_and_the_large_one_stays_the_same_bytes(
    hub: HubInUse, tmp_path: Path
) -> None:
    hub.write(2)
    hub.stage(NOW)
    whole = (hub.spool / "whole.bundle").read_bytes()
    hub.write(1)
    staged = hub.stage(NOW)
    assert (hub.spool / "whole.bundle").read_bytes() == whole
    assert (hub.spool / "since.bundle").stat().st_size < len(whole)
    assert hub.spool / "since.bundle" in staged.paths
    fetched = brought_back(staged, tmp_path / "out")
    hub_restored.build(fetched, tmp_path / "restored")
    assert hub_restored.prove(fetched, tmp_path / "restored").tasks == 3


def test_the_large_bundle_is_made_anew_once_the_small_one_has_grown(
    hub: HubInUse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_source, "SMALL", 0)
    hub.write(1)
    hub.stage(NOW)
    hub.write(8)
    staged = hub.stage(NOW)
    assert hub.spool / "since.bundle" not in staged.paths
    assert git.run(hub.home / "vault.git", "bundle", "list-heads", str(hub.spool / "whole.bundle")).startswith(
        f"{hub.world.head} {MAIN}"
    )


def test_a_hub_that_was_put_back_is_taken_as_it_is_now(hub: HubInUse, tmp_path: Path) -> None:
    hub.write(2)
    older = git.refs(hub.home / "vault.git")[MAIN]
    hub.write(2)
    hub.stage(NOW)
    subprocess.run(["git", "-C", str(hub.home / "vault.git"), "update-ref", MAIN, older], check=True, timeout=30)
    fetched = brought_back(hub.stage(NOW), tmp_path / "out")
    hub_restored.build(fetched, tmp_path / "restored")
    assert hub_restored.prove(fetched, tmp_path / "restored").head == older


def test_a_ref_that_goes_away_stops_no_backup(hub: HubInUse) -> None:
    repository = str(hub.home / "vault.git")
    hub.write(1)
    subprocess.run(
        ["git", "-C", repository, "update-ref", "refs/reroot/x", str(hub.world.head)], check=True, timeout=30
    )
    hub.stage(NOW)
    subprocess.run(["git", "-C", repository, "update-ref", "-d", "refs/reroot/x"], check=True, timeout=30)
    assert "refs/reroot/x" not in git.run(
        hub.home / "vault.git", "bundle", "list-heads", str(hub.stage(NOW).paths[2])
    )  # fmt: skip


def test_the_mark_moves_with_every_publish_and_every_change_of_an_agent_and_else_stays(hub: HubInUse) -> None:
    marks = [hub.source.mark(), hub.source.mark()]
    hub.write(1)
    marks.append(hub.source.mark())
    (hub.home / "agents" / f"{OTHER.agent}.json").unlink()
    marks.append(hub.source.mark())
    assert [marks[0] == marks[1], len({*marks})] == [True, 3]
    assert hub.stage(NOW).manifest.mark == marks[-1]


def test_an_agent_that_was_taken_away_does_not_come_back(hub: HubInUse) -> None:
    hub.stage(NOW)
    (hub.home / "agents" / f"{OTHER.agent}.json").unlink()
    hub.stage(NOW)
    assert not (hub.spool / "hub" / "agents" / f"{OTHER.agent}.json").exists()


def test_a_commit_that_is_missing_from_what_came_back_is_told(hub: HubInUse, tmp_path: Path) -> None:
    hub.write(2)
    hub.stage(NOW)
    hub.write(1)
    staged = hub.stage(NOW)
    fetched = brought_back(staged, tmp_path / "out")
    part = fetched.part("since")
    part.unlink()
    hub_restored.build(fetched, tmp_path / "restored")
    with pytest.raises(NotProven, match="what was restored ends at"):
        hub_restored.prove(fetched, tmp_path / "restored")


def test_a_bundle_that_was_cut_off_is_refused_and_leaves_no_hub(hub: HubInUse, tmp_path: Path) -> None:
    hub.write(2)
    fetched = brought_back(hub.stage(NOW), tmp_path / "out")
    whole = fetched.part("whole")
    whole.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(SourceFailed, match="git fetch"):
        hub_restored.build(fetched, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


def test_a_commit_that_nobody_signed_is_found_by_the_doctor(hub: HubInUse, tmp_path: Path) -> None:
    hub.write(1)
    fetched = brought_back(hub.stage(NOW), tmp_path / "out")
    home = tmp_path / "restored"
    hub_restored.build(fetched, home)
    (home / "agents" / "cloud-1.json").write_bytes((home / "agents" / "cloud-2.json").read_bytes())
    assert hub_restored.prove(fetched, home).findings


def test_nothing_is_ever_restored_over_a_hub(hub: HubInUse, tmp_path: Path) -> None:
    fetched = brought_back(hub.stage(NOW), tmp_path / "out")
    with pytest.raises(BackupError, match="move it away"):
        hub_restored.build(fetched, hub.home)


def test_a_hub_without_a_vault_yet_is_an_expected_failure(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "vault.git")], check=True, timeout=30)
    (tmp_path / "agents").mkdir()
    for name in ("hub.toml", "owner.pub"):
        (tmp_path / name).touch()
    with pytest.raises(SourceFailed, match="has no refs/heads/main"):
        hub_source.HubSource(Vault(home=tmp_path)).mark()
    shutil.rmtree(tmp_path / "vault.git")
    with pytest.raises(SourceFailed, match="holds no vault yet"):
        hub_source.HubSource(Vault(home=tmp_path)).mark()
