"""A commit arrives in the folder whole, private, and without a byte of the owner's lost."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.mirror.world import (
    APPROVED,
    DASHBOARD,
    HANDBOOK,
    NOTE,
    World,
    begun,
    edited,
    only,
    some,
    without_renameat2,
)

from vault_protocol import moves
from vault_protocol.mirror import BaseInUse, Conflict, Decided, Edited, Unsynced, rename
from vault_protocol.mirror.names import FOLDERS
from vault_protocol.note import Note
from vault_protocol.store import GitStore


def test_the_folders_to_drag_into_are_there_from_the_start(tmp_path: Path) -> None:
    world = begun(tmp_path)
    assert all(world.path(folder).is_dir() for folder in FOLDERS)


def test_files_and_folders_are_the_owners_alone(tmp_path: Path) -> None:
    world = begun(tmp_path)
    for path in world.folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    base = tmp_path / "state" / "mirror.sqlite"
    assert stat.S_IMODE(base.stat().st_mode) == 0o600


def test_a_moved_task_is_in_one_place_in_the_folder_too(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.put(moves.approve(world.task(), revision=1))
    world.apply()
    assert world.files() == world.at_head()


def test_an_edited_draft_that_was_replaced_is_kept_as_a_copy(tmp_path: Path) -> None:
    world = begun(tmp_path)
    mine = edited(world.read(NOTE))
    world.write(NOTE, mine)
    world.put(made.pending(revision=2))
    kept = only(Conflict, world.apply())
    assert kept.copy == NOTE.replace(".md", " (conflict 2026-11-23 090000).md")
    assert world.read(kept.copy) == mine
    assert only(Unsynced, world.settle()).path == kept.copy


def test_front_matter_of_the_owner_in_a_replaced_draft_is_kept_too(tmp_path: Path) -> None:
    world = begun(tmp_path)
    mine = world.read(NOTE).replace(b"---\n", b"---\ntags: [mine]\n", 1)
    world.write(NOTE, mine)
    world.put(made.pending(revision=2))
    assert world.read(only(Conflict, world.apply()).copy) == mine


def test_an_edit_that_was_published_by_command_leaves_no_copy(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.write(NOTE, edited(world.read(NOTE)))
    world.put(moves.edit(world.task(), Note.parse(world.read(NOTE))))
    assert world.apply() == ()
    assert world.files() == world.at_head()


def test_a_file_that_somebody_still_writes_to_is_never_deleted(tmp_path: Path) -> None:
    world = begun(tmp_path)
    with world.path(HANDBOOK).open("r+b") as editor:
        world.commit({HANDBOOK: b"# Theirs\n"})
        kept = only(Conflict, world.apply())
        editor.write(b"# Mine\n")
    assert world.read(kept.copy).startswith(b"# Mine\n")


def test_every_byte_is_on_disk_before_it_gets_its_name_and_every_name_before_it_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = begun(tmp_path)
    log: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _descriptor: log.append("fsync"))
    world.step = log.append
    world.commit({HANDBOOK: b"# New\n"})
    world.apply()
    assert log == ["intend", "stage", "fsync", "place", "look out", "fsync", "record", "reflect", "put back"]
    log.clear()
    monkeypatch.setattr(rename, "sync_file_system", lambda _folder: log.append("sync all"))
    world.commit({f"Plans/{number}.md": b"x\n" for number in range(20)})
    world.apply()
    assert log[:4] == ["intend", "stage", "sync all", "place"]


def test_two_copies_in_the_same_second_get_two_names(tmp_path: Path) -> None:
    world = begun(tmp_path)
    for number in range(3):
        world.write(DASHBOARD, b"mine %d\n" % number)
        world.commit({DASHBOARD: b"theirs %d\n" % number})
        world.apply()
    assert len([name for name in world.files() if "(conflict 2026-11-23 090000" in name]) == 3


def test_a_folder_or_a_link_in_the_way_of_a_note_is_moved_aside_whole(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.write("Briefings/new.md/inner.txt", b"keep me\n")
    world.path("Plans").mkdir()
    world.path("Plans/p.md").symlink_to(tmp_path)
    world.commit({"Briefings/new.md": b"1\n", "Plans/p.md": b"2\n"})
    world.apply()
    assert (world.read("Briefings/new.md"), world.read("Plans/p.md")) == (b"1\n", b"2\n")
    assert b"keep me\n" in world.files().values()


def test_what_a_hostile_commit_names_never_reaches_the_folder(tmp_path: Path) -> None:
    world = begun(tmp_path)
    hostile: dict[str, bytes | None] = {
        ".obsidian/app.json": b"{}", "run.sh": b"#!/bin/sh\n", "Inbox/planted.md": b"x", "x/.env": b"A=1",
        "Plans/a\u202eb.md": b"x", "Plans/" + "x" * 300 + ".md": b"x", "~$x.md": b"x", "Plans/fine.md": b"fine\n",
    }  # fmt: skip
    world.commit(hostile)
    world.apply()
    assert set(world.files()) == {HANDBOOK, DASHBOARD, NOTE, "Plans/fine.md"}
    assert {item.path for item in world.mirror.unsynced()} == set(hostile) - {"Plans/fine.md"}


def test_a_first_run_trusts_nothing_and_loses_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit({HANDBOOK: b"# Handbook\n"})
    world.put(made.pending())
    content = world.at_head()[NOTE]
    world.write(HANDBOOK, b"# Old handbook\n")
    world.write(APPROVED, content)
    world.write("Diary.md", b"dear diary\n")
    assert some(Edited, world.settle()) == []
    assert some(Decided, world.look()) == []
    kept = only(Conflict, world.apply())
    assert world.read(kept.copy) == b"# Old handbook\n"
    assert (world.read(HANDBOOK), world.read(NOTE)) == (b"# Handbook\n", content)
    world.path(NOTE).unlink()
    assert some(Decided, world.settle()) == []
    assert {item.path for item in world.mirror.unsynced()} >= {"Diary.md", APPROVED}
    world.write("Diary.md", b"dear diary, again\n")
    assert only(Edited, tuple(some(Edited, world.settle()))).path == "Diary.md"


def test_a_new_clone_without_the_old_commit_still_brings_the_folder_up_to_date(tmp_path: Path) -> None:
    world = begun(tmp_path)
    old, content = world.head, world.at_head()
    world.mirror.close()
    (tmp_path / "repo").rename(tmp_path / "gone")
    world.store, world.head = GitStore(tmp_path / "repo"), None
    world.commit({HANDBOOK: b"# New\n", NOTE: content[NOTE]})
    assert world.head != old
    world.start()
    world.apply()
    assert world.files() == world.at_head()


def test_a_file_where_a_folder_belongs_is_reported_and_left_alone(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.path("Rejected").rmdir()
    world.write("Rejected", b"a file\n")
    for _ in range(2):
        world.settle_and_apply()
        assert "Rejected" in {item.path for item in world.mirror.unsynced()}
    assert world.read("Rejected") == b"a file\n"
    world.path("Rejected").unlink()
    world.apply()
    assert world.path("Rejected").is_dir()


def test_a_second_process_on_the_same_base_is_refused(tmp_path: Path) -> None:
    world = begun(tmp_path)
    with pytest.raises(BaseInUse):
        world.start()
    world.mirror.close()


def test_a_folder_that_may_not_be_written_blocks_only_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = begun(tmp_path)
    real = os.open

    def denied(path: str | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is not None and flags & os.O_CREAT and Path(f"/proc/self/fd/{dir_fd}").readlink().name == "Plans":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, flags, mode, dir_fd=dir_fd)

    world.commit({"Plans/a.md": b"1\n", "Briefings/b.md": b"2\n"})
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", denied)
        world.apply()
    assert world.read("Briefings/b.md") == b"2\n"
    assert [item.path for item in world.mirror.unsynced()] == ["Plans/a.md"]
    world.apply()
    assert world.files() == world.at_head()


def test_a_full_disk_stops_apply_and_the_next_one_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = begun(tmp_path)
    world.write(HANDBOOK, b"# Mine\n")
    world.commit({f"Plans/{number}.md": b"x\n" for number in range(20)} | {DASHBOARD: b"new\n"})

    def full(_where: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(rename, "sync_file_system", full)
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            world.apply()
    world.apply()
    assert world.hidden() == []
    assert {**world.at_head(), HANDBOOK: b"# Mine\n"} == world.files()


def test_without_exchange_a_save_in_between_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = begun(tmp_path)
    without_renameat2(monkeypatch)
    real = rename.move

    def raced(source: tuple[int, str], target: tuple[int, str]) -> None:
        if target[1] == HANDBOOK and not world.path(HANDBOOK).exists():
            world.write(HANDBOOK, b"saved in between\n")
        real(source, target)

    monkeypatch.setattr(rename, "move", raced)
    world.commit({HANDBOOK: b"# Theirs\n"})
    world.apply()
    assert b"saved in between\n" in world.files().values()
    monkeypatch.setattr(rename, "move", real)
    world.apply()
    assert b"saved in between\n" in world.files().values()
    assert world.hidden() == []


@pytest.mark.parametrize("links", ["hard links", "no links"])
def test_without_renameat2_nothing_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: str) -> None:
    without_renameat2(monkeypatch)
    if links == "no links":

        def no_link(*_: object, **__: object) -> None:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

        monkeypatch.setattr(os, "link", no_link)
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    folder = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(FileExistsError):
        rename.move((folder, "a"), (folder, "b"))
    rename.move((folder, "a"), (folder, "c"))
    rename.exchange(folder, "b", "c", "spare")
    os.close(folder)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"b": b"a", "c": b"b"}
