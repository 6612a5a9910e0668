"""A clone's objects are read however much libgit2 was told to let go of meanwhile."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pygit2
import pytest

from vault_protocol import objects, packs
from vault_protocol.errors import DiskTrouble
from vault_protocol.hub import BlobId
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId


@pytest.fixture
def let_go(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows each time that libgit2 is told to."""
    told: list[int] = []
    really: Callable[[pygit2.Repository], None] = pygit2.Repository.free

    def free(repository: pygit2.Repository) -> None:
        told.append(1)
        really(repository)

    monkeypatch.setattr(pygit2.Repository, "free", free)
    return told


def written(path: Path, many: int = 60) -> list[BlobId]:
    store = GitStore(path)
    found = [BlobId(store._objects.add("blob", f"{number}\n".encode() * 200)) for number in range(many)]
    store.keep()
    return found


def test_what_was_read_from_the_disk_is_let_go_of_and_read_again(
    tmp_path: Path, let_go: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = written(tmp_path / "clone.git")
    monkeypatch.setattr(objects, "READ", 5_000)
    store = GitStore(tmp_path / "clone.git")
    read = [store.blob(blob) for blob in blobs]
    assert read == [f"{number}\n".encode() * 200 for number in range(60)]
    size = sum(map(len, read))
    assert size // 7_000 < len(let_go) <= size // 5_000


def test_a_store_that_was_closed_reads_on(tmp_path: Path, let_go: list[int]) -> None:
    first, *others = written(tmp_path / "clone.git")
    store = GitStore(tmp_path / "clone.git")
    assert store.blob(first)
    store.close()
    assert let_go
    assert all(map(store.blob, others))
    assert store.ref("refs/heads/main") is None


def test_packs_that_git_wrote_again_are_found(tmp_path: Path) -> None:
    first, *others = written(tmp_path / "clone.git")
    store = GitStore(tmp_path / "clone.git")
    began = datetime(2026, 1, 1, tzinfo=UTC)
    tip = store._write(store._objects.add("tree", b""), None, "kept", AgentId("tests"), began)
    store.set_ref("refs/heads/main", tip)
    assert store.blob(first)
    repacked = ("git", f"--git-dir={store.path}", "repack", "-adkq")
    subprocess.run(repacked, check=True, timeout=60)
    assert all(map(store.blob, others))
    assert store.ref("refs/heads/main") == tip


@pytest.fixture
def two_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitStore:
    """A clone whose third pack will be merged with the two that it has; none was synced."""
    monkeypatch.setattr(objects, "MERGED_AT", 3)
    store = GitStore(tmp_path / "clone.git")
    for number in range(2):
        store._objects.add("blob", b"%d" % number)
        store._objects.keep()
    return store


def test_packs_that_git_wrote_again_before_they_were_merged_leave_none_of_the_others_without_a_sync(
    two_packs: GitStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, synced = two_packs._objects, list[str]()
    kept, gone = held._small
    for suffix in (".pack", ".idx"):
        (two_packs.path / "objects" / "pack" / (gone + suffix)).unlink()
    for number in range(2, 6):
        held.add("blob", b"%d" % number)
        held.keep()
    assert held._small == [], "merged, without the first"
    monkeypatch.setattr(packs, "sync", lambda folder, names: synced.extend(names))
    held.keep(durable=True)
    assert kept in synced


def test_packs_that_could_not_be_merged_are_made_durable_all_the_same(
    two_packs: GitStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, synced = two_packs._objects, list[str]()
    real, fails = packs.write, iter((False, True))

    def write(*args: Any, **named: Any) -> str:
        if next(fails, False):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*args, **named)

    monkeypatch.setattr(packs, "write", write)
    held.add("blob", b"2")
    with pytest.raises(DiskTrouble):
        held.keep(durable=True)
    there = {file.stem for file in (two_packs.path / "objects" / "pack").glob("*.pack")}
    monkeypatch.setattr(packs, "sync", lambda folder, names: synced.extend(names))
    held.keep(durable=True)
    assert {*synced} == there
    assert len(there) == 3
