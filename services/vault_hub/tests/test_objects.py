"""Trees, commits and packs written by our own code: byte for byte what git would write, and whole on disk."""

import os
import subprocess
from errno import EIO
from pathlib import Path
from random import Random

import pygit2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from libs.vault_protocol.tests.hubs import AT
from libs.vault_protocol.tests.libgit2 import Libgit2

from vault_hub import objects as objects_module
from vault_hub.objects import Objects
from vault_protocol import folders, remote
from vault_protocol.errors import Refused, UntrustedHead, VaultError
from vault_protocol.hub import CommitId
from vault_protocol.kept import Kept
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId

AUTHOR = AgentId("cloud-1")

NAMES = st.sampled_from(
    ["a", "a.md", "a-b", "a.b", "a0", "ab", "b", "z", "ä", "a\u0301", "A", "a b", "~", "\U0001f4b6"]
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
CONTENTS = st.one_of(st.none(), st.binary(max_size=40), st.just(b"x" * 3000))
COMMITS = st.lists(st.dictionaries(PATHS, CONTENTS, max_size=8), min_size=1, max_size=8)


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    remote.create(tmp_path / "hub.git")
    return tmp_path / "hub.git"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commits=COMMITS, written=st.booleans())
def test_any_commit_is_byte_for_byte_the_one_libgit2_and_a_store_make(
    commits: list[dict[str, bytes | None]], written: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("same")
    store, ours = GitStore(folder / "store.git"), Objects(GitStore(folder / "hub.git").path)
    git_itself = Libgit2(folder / "git.git")
    parent: CommitId | None = None
    for number, edits in enumerate(commits):
        results: list[CommitId | str] = []
        marks = ours.marks()
        for make in (git_itself.commit, store.commit, ours.commit):
            try:
                results.append(make(parent, edits, message=f"n {number}\n", author=AUTHOR, at=AT))
            except Refused as error:
                results.append(error.rule)
        assert results[0] == results[1] == results[2]
        if results[0] == "path":
            ours.drop_after(marks)
            continue
        parent = CommitId(results[0])
        if written:
            ours.write()
        for path in edits:
            assert ours.read(parent, path) == store.read(parent, path)
    if parent is not None and written:
        again = Objects(folder / "hub.git")
        assert again.raw(parent) == ours.raw(parent), "what was written is read by who comes anew"


def grown(hub: Path, count: int, *, each: int = 3) -> tuple[Objects, list[CommitId]]:
    """A line of commits, a pack and a swap each."""
    ours, random = Objects(hub), Random(1)
    line: list[CommitId] = []
    for number in range(count):
        edits: dict[str, bytes | None] = {
            f"d{random.randrange(9)}/{random.randrange(99)}.md": random.randbytes(random.randrange(2000))
            for _ in range(each)
        }
        parent = line[-1] if line else None
        line.append(ours.commit(parent, edits, message=f"n {number}\n", author=AUTHOR, at=AT))
        ours.write()
        ours.swap(line[-1], parent)
    return ours, line


def packs(hub: Path) -> list[Path]:
    return sorted((hub / "objects" / "pack").glob("*.idx"))


def git(hub: Path, *argv: str) -> str:
    return subprocess.run(["git", f"--git-dir={hub}", *argv], check=True, capture_output=True, text=True).stdout


def test_packs_are_what_git_verifies(hub: Path) -> None:
    _, line = grown(hub, 12)

    assert len(packs(hub)) == 12
    for pack in packs(hub):
        subprocess.run(["git", "verify-pack", str(pack)], check=True, capture_output=True)
    assert remote.fsck(hub) == ()
    assert git(hub, "rev-list", "--reverse", "main").split() == line


def test_a_pack_holds_objects_of_every_size(hub: Path) -> None:
    ours = Objects(hub)
    sizes = [0, 1, 15, 16, 17, 2047, 2048, 2049, 1 << 18, (1 << 18) + 1, 3_000_000]
    edits: dict[str, bytes | None] = {f"{size}.md": b"z" * size for size in sizes}
    edits |= {f"many/{number:05}.md": b"%d" % number for number in range(3000)}
    commit = ours.commit(None, edits, message="x\n", author=AUTHOR, at=AT)
    ours.write()
    ours.swap(commit, None)

    assert remote.fsck(hub) == ()
    store = GitStore(hub)
    assert {path: store.read(commit, path) for path in edits} == edits


def test_small_packs_become_one_and_everything_stays_readable(hub: Path) -> None:
    ours, line = grown(hub, 70)
    wanted = ours.wants_merge

    ours.merge_small()

    assert len(packs(hub)) == 1
    assert (wanted, ours.wants_merge) == (True, False)
    assert remote.fsck(hub) == ()
    more = ours.commit(line[-1], {"more.md": b"x"}, message="x\n", author=AUTHOR, at=AT)
    ours.write()
    ours.swap(more, line[-1])
    assert remote.fsck(hub) == ()
    assert git(hub, "rev-list", "--reverse", "main").split() == [*line, more]


@pytest.mark.parametrize("before", [5, 70])
def test_git_may_repack_in_the_middle_of_it(hub: Path, before: int) -> None:
    ours, line = grown(hub, before)
    kept = dict(ours._kept._values)
    git(hub, "repack", "-d", "--geometric=2", "--quiet")
    git(hub, "commit-graph", "write", "--reachable")

    ours._kept = Kept(objects_module.ROOM)  # so that it has to look for them again
    assert {oid: ours.raw(oid) for oid in kept} == kept
    ours.merge_small()
    commit = ours.commit(line[-1], {"after.md": b"x"}, message="x\n", author=AUTHOR, at=AT)
    ours.write()
    ours.swap(commit, line[-1])

    assert remote.fsck(hub) == ()
    assert git(hub, "rev-list", "--count", "main").strip() == str(before + 1)


@pytest.mark.parametrize("together", [True, False])
def test_everything_is_synced_before_it_gets_its_name_and_the_folder_after(
    together: bool, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No kill shows what a power loss would take: so each sync is looked for."""
    ours, line = grown(hub, 1)
    synced, unsynced = set[int](), set[int]()
    fsync, rename, given = os.fsync, os.rename, list[str]()

    def seen(handle: int) -> None:
        fsync(handle)
        synced.add(os.fstat(handle).st_ino)
        unsynced.discard(os.fstat(handle).st_ino)

    def named(path: str | Path, target: str | Path) -> None:
        assert Path(path).stat().st_ino in synced, f"{target} gets its name unsynced"
        unsynced.add(Path(path).parent.stat().st_ino)
        given.append(Path(target).suffix)
        rename(path, target)

    monkeypatch.setattr(os, "fsync", seen)
    monkeypatch.setattr(os, "rename", named)
    commit = ours.commit(line[-1], {"a.md": b"x"}, message="x\n", author=AUTHOR, at=AT)
    ours.write(commit if together else None)
    assert not unsynced, "objects are on disk before a head names them"
    ours.swap(commit, line[-1])
    assert not unsynced
    assert given == [".pack", ".idx", ""], "the head is named last"
    assert len(synced) == 5


def test_a_group_and_its_head_are_synced_together_and_a_disk_that_fails_one_of_them_takes_nothing(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, line = grown(hub, 1)
    fsync, there = os.fsync, sorted((hub / "objects" / "pack").iterdir())
    synced: list[str] = []
    commit = ours.commit(line[-1], {"a.md": b"x"}, message="x\n", author=AUTHOR, at=AT)
    for failing in ("main.lock", "tmp_"):

        def fails(handle: int, failing: str = failing) -> None:
            synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
            if failing in synced[-1]:
                raise OSError(EIO, "no")
            fsync(handle)

        synced.clear()
        monkeypatch.setattr(os, "fsync", fails)
        with pytest.raises(OSError, match="no"):
            ours.write(commit)
        assert failing in synced[-1], "nothing goes on after one that failed"
        assert sorted((hub / "objects" / "pack").iterdir()) == there
        assert not list((hub / "refs").rglob("*.lock"))

    monkeypatch.setattr(os, "fsync", fsync)
    ours.write(commit)
    ours.swap(commit, line[-1])
    assert ours.head() == commit
    assert remote.fsck(hub) == ()


def test_an_object_that_is_nowhere_is_said_to_be(hub: Path) -> None:
    ours = Objects(hub)
    assert not ours.has("1" * 40)
    with pytest.raises(UntrustedHead):
        ours.raw("1" * 40)


def test_what_was_dropped_is_made_again_when_it_is_needed(hub: Path) -> None:
    ours = Objects(hub)
    ours.commit(None, {"a/b.md": b"x"}, message="x\n", author=AUTHOR, at=AT)
    ours.drop_after(())
    commit = ours.commit(None, {"a/b.md": b"x"}, message="y\n", author=AUTHOR, at=AT)
    ours.write()
    ours.swap(commit, None)

    assert remote.fsck(hub) == ()


def test_a_lock_that_nobody_holds_is_taken_away_and_one_that_goes_is_waited_for(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects_module, "LOCK_PATIENCE", 0.05)
    ours, line = grown(hub, 1)
    (hub / "refs" / "heads" / "main.lock").write_text("left behind")

    commit = ours.commit(line[-1], {"a.md": b"x"}, message="x\n", author=AUTHOR, at=AT)
    ours.write()
    ours.swap(commit, line[-1])

    assert ours.head() == commit
    assert not list((hub / "refs").rglob("*.lock"))


def test_a_head_that_another_program_moved_is_not_overwritten(hub: Path) -> None:
    ours, line = grown(hub, 2)
    git(hub, "update-ref", "refs/heads/main", line[0])
    commit = ours.commit(line[-1], {"a.md": b"x"}, message="x\n", author=AUTHOR, at=AT)
    ours.write()

    with pytest.raises(VaultError, match="another program moved the head"):
        ours.swap(commit, line[-1])

    assert ours.head() == line[0]
    assert not list((hub / "refs").rglob("*.lock"))


def test_the_names_of_a_line_come_oldest_first(hub: Path) -> None:
    _, line = grown(hub, 5)
    names = objects_module.ids(hub, line[-1])
    assert [names[at : at + 20].hex() for at in range(0, len(names), 20)] == line
    assert objects_module.ids(hub, line[-1], 2).hex() == line[-2] + line[-1]
    assert objects_module.ids(hub, None) == b""


def test_what_the_hub_read_from_the_disk_is_let_go_of_and_read_again(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = GitStore(hub)
    edits: dict[str, bytes | None] = {f"{number}.md": f"{number}\n".encode() * 200 for number in range(30)}
    commit = store.commit(None, edits, message="notes\n", author=AUTHOR, at=AT)
    store.keep()
    monkeypatch.setattr(objects_module, "READ", 2_000)
    let_go: list[int] = []
    really = pygit2.Repository.free

    def free(repository: pygit2.Repository) -> None:
        let_go.append(1)
        really(repository)

    monkeypatch.setattr(pygit2.Repository, "free", free)
    ours = Objects(hub)
    assert {path: ours.raw(blob) for path, blob in store.paths(commit)} == edits
    assert len(let_go) > 3


def test_a_folder_that_nobody_who_follows_would_read_is_not_made(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "LARGEST_TREE", 5_000)
    ours, store = Objects(hub), GitStore(hub)
    for made in (ours, store):
        few: dict[str, bytes | None] = {f"Plans/{number:03}.md": b"x" for number in range(100)}
        first = made.commit(None, few, message="x\n", author=AUTHOR, at=AT)
        many: dict[str, bytes | None] = {f"Plans/{number:03}.md": b"x" for number in range(100, 200)}
        with pytest.raises(Refused, match="Plans: its list of names would have over 5000 bytes") as error:
            made.commit(first, many, message="x\n", author=AUTHOR, at=AT)
        assert error.value.rule == "size"


def test_what_a_refused_publish_had_made_is_forgotten_whole(hub: Path) -> None:
    ours = Objects(hub)
    first = ours.commit(None, {"Plans/a.md": b"x"}, message="x\n", author=AUTHOR, at=AT)
    marks = ours.marks()
    ours.commit(first, {"Plans/b.md": b"x"}, message="x\n", author=AUTHOR, at=AT)
    assert ours._patches, "or nothing could be left"
    ours.drop_after(marks)
    assert ours.marks() == marks
    assert ours._patches == {}
