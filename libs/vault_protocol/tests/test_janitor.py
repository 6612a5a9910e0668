"""Locks that killed processes left behind are cleared, and locks that are held are not."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vault_protocol import janitor, remote
from vault_protocol.hub import Accepted, CommitId
from vault_protocol.remote import Remote
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    remote.create(tmp_path / "hub.git")
    return tmp_path / "hub.git"


def commit(store: GitStore, parent: CommitId | None, name: str) -> CommitId:
    return store.commit(parent, {f"{name}.md": b"x\n"}, message=f"{name}\n", author=AgentId("cloud"), at=NOW)


def test_a_lock_left_on_the_hub_does_not_stop_a_publish(hub: Path, tmp_path: Path) -> None:
    store = GitStore(tmp_path / "clone.git")
    agent = Remote(store, str(hub))
    first = commit(store, None, "one")
    assert isinstance(agent.publish(first, onto=None), Accepted)
    (hub / "refs" / "heads" / "main.lock").touch()
    second = commit(store, first, "two")
    assert isinstance(agent.publish(second, onto=first), Accepted)
    assert agent.refresh() == second


def test_locks_left_in_the_clone_do_not_stop_a_refresh(hub: Path, tmp_path: Path) -> None:
    writer, store = GitStore(tmp_path / "writer.git"), GitStore(tmp_path / "clone.git")
    first = commit(writer, None, "one")
    Remote(writer, str(hub)).publish(first, onto=None)
    reader = Remote(store, str(hub))
    reader.refresh()
    for name in ("refs/hub/main.lock", "packed-refs.lock"):
        (store.path / name).touch()
    second = commit(writer, first, "two")
    Remote(writer, str(hub)).publish(second, onto=first)
    assert reader.refresh() == second


def test_a_lock_is_left_alone_while_a_git_process_works_on_the_hub(hub: Path) -> None:
    lock = hub / "refs" / "heads" / "main.lock"
    lock.touch()
    with subprocess.Popen(
        ["git", "--git-dir", str(hub), "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as busy:
        assert janitor.clear_hub(hub) == ()
        assert lock.exists()
        assert busy.stdin is not None
        busy.stdin.close()
    assert janitor.clear_hub(hub) == ("refs/heads/main.lock",)


def test_a_lock_of_a_tidying_is_left_alone_while_git_works_there_and_not_for_ever(hub: Path) -> None:
    lock = hub / "objects" / "info" / "commit-graph.lock"
    lock.parent.mkdir(exist_ok=True)
    lock.touch()
    with subprocess.Popen(
        ["git", "--git-dir", str(hub), "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as busy:
        assert janitor.clear_tidying(hub) == ()
        later = time.time() + janitor.HALF_WRITTEN + 1
        assert janitor.clear_tidying(hub, now=later) == ("objects/info/commit-graph.lock",)
        lock.touch()
        assert busy.stdin is not None
        busy.stdin.close()
    assert janitor.clear_tidying(hub) == ("objects/info/commit-graph.lock",)
    assert janitor.clear_tidying(hub) == ()


def test_where_processes_cannot_be_seen_only_an_old_lock_is_stale(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(janitor, "_PROC", Path("/nonexistent"))
    (hub / "refs" / "heads" / "main.lock").touch()
    assert janitor.clear_hub(hub) == ()
    later = time.time() + janitor.SURELY_STALE + 1
    assert janitor.clear_hub(hub, now=later) == ("refs/heads/main.lock",)


def test_only_old_half_written_objects_are_taken_away(hub: Path) -> None:
    half = hub / "objects" / "pack" / "tmp_pack_x"
    half.parent.mkdir(exist_ok=True)
    half.touch()
    received = hub / "objects" / "tmp_objdir-incoming-x" / "5e" / "41f4"
    received.parent.mkdir(parents=True)
    received.touch()
    assert janitor.clear_hub(hub) == ()
    gone = janitor.clear_hub(hub, now=time.time() + 2 * janitor.HALF_WRITTEN)
    assert sorted(gone) == ["objects/pack/tmp_pack_x", "objects/tmp_objdir-incoming-x"]
    assert not received.parent.parent.exists()


def test_a_git_left_behind_by_a_kill_keeps_the_clone_to_itself(hub: Path, tmp_path: Path) -> None:
    """The lock of the clone is inherited: nobody clears the locks of a git that still runs."""
    store = GitStore(tmp_path / "clone.git")
    script = (
        "import os, subprocess, sys\n"
        "from pathlib import Path\n"
        "from vault_protocol.remote import Remote\n"
        "from vault_protocol.store import GitStore\n"
        f"agent = Remote(GitStore(Path({str(store.path)!r})), {str(hub)!r})\n"
        "with agent._alone():\n"
        "    subprocess.Popen(['sleep', '2'], pass_fds=(agent._handle,))\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", script], check=False)
    Remote(store, str(hub)).refresh()
    assert time.monotonic() - began >= 1.5
