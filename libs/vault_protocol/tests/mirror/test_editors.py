"""How Obsidian, vim, other editors and Syncthing really save: each leaves the owner's text and no false decision."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from libs.vault_protocol.tests.mirror.world import HANDBOOK, NOTE, begun, edited, only

from vault_protocol.mirror import DraftEdited, Edited, Item, place
from vault_protocol.mirror.base import Stamp

Pause = Callable[[], None]


def in_place(path: Path, content: bytes, pause: Pause) -> None:
    """Obsidian: truncate, then write into the same file."""
    with path.open("r+b") as file:
        file.truncate(0)
        file.flush()
        pause()
        file.write(content[: len(content) // 2])
        file.flush()
        pause()
        file.write(content[len(content) // 2 :])


def by_rename(path: Path, content: bytes, pause: Pause) -> None:
    """Obsidian mobile, VS Code with atomic saves, gedit: a temporary file that takes the place."""
    temp = path.with_name(f".{path.name}.tmp")
    temp.write_bytes(content)
    pause()
    temp.replace(path)


def vim(path: Path, content: bytes, pause: Pause) -> None:
    """vim with `backupcopy=no`: probes the folder, renames the original away, writes a new file."""
    probe = path.with_name("4913")
    probe.touch()
    probe.unlink()
    swap = path.with_name(f".{path.name}.swp")
    swap.write_bytes(b"b0VIM")
    path.rename(path.with_name(path.name + "~"))
    pause()
    path.write_bytes(content)
    pause()
    path.with_name(path.name + "~").unlink()
    swap.unlink()


def emacs(path: Path, content: bytes, pause: Pause) -> None:
    """emacs: an auto-save, a lock that is a dangling link, a backup by copy, then in place."""
    path.with_name(f"#{path.name}#").write_bytes(content[:10])
    lock = path.with_name(f".#{path.name}")
    lock.symlink_to("ann@desk.1234:5678")
    path.with_name(path.name + "~").write_bytes(path.read_bytes())
    pause()
    path.write_bytes(content)
    lock.unlink()
    path.with_name(f"#{path.name}#").unlink()


def sed(path: Path, content: bytes, pause: Pause) -> None:
    """`sed -i` and other tools: delete, then create."""
    path.unlink()
    pause()
    path.write_bytes(content)


def syncthing(path: Path, content: bytes, pause: Pause) -> None:
    """Syncthing: a temporary file in place, its time set to the other device's, then the rename."""
    temp = path.with_name(f".syncthing.{path.name}.tmp")
    temp.write_bytes(content[: len(content) // 2])
    pause()
    temp.write_bytes(content)
    os.utime(temp, (1_700_000_000, 1_700_000_000))
    temp.replace(path)


SAVES = [in_place, by_rename, vim, emacs, sed, syncthing]


@pytest.mark.parametrize("save", SAVES, ids=lambda save: save.__name__)
@pytest.mark.parametrize("name", [HANDBOOK, NOTE])
def test_a_save_in_any_editor_is_one_edit(
    tmp_path: Path, save: Callable[[Path, bytes, Pause], None], name: str
) -> None:
    world = begun(tmp_path)
    mine = b"# Mine\n" if name == HANDBOOK else edited(world.read(name))
    seen: list[Item] = []
    save(world.path(name), mine, lambda: seen.extend(world.look()))
    assert seen == []
    item = only(Edited if name == HANDBOOK else DraftEdited, world.settle())
    assert isinstance(item, Edited | DraftEdited)
    assert item.content == mine


@pytest.mark.parametrize("save", SAVES, ids=lambda save: save.__name__)
@pytest.mark.parametrize("name", [HANDBOOK, NOTE])
def test_a_new_head_in_the_middle_of_a_save_loses_nothing(
    tmp_path: Path, save: Callable[[Path, bytes, Pause], None], name: str
) -> None:
    world = begun(tmp_path)
    mine, theirs = b"# Mine, all of it\n", b"# Theirs\n"

    def pause() -> None:
        if theirs not in world.at_head().values():
            world.commit({name: theirs})
        world.apply()

    save(world.path(name), mine, pause)
    for _ in range(3):
        world.publish(*world.settle())
        world.apply()
    assert mine in {*world.files().values(), *world.at_head().values()}
    assert theirs in {world.store.read(commit.id, name) for commit in world.history()}
    assert world.hidden() == []


def test_the_same_bytes_saved_again_are_no_edit(tmp_path: Path) -> None:
    world = begun(tmp_path)
    for save in SAVES:
        for name in (HANDBOOK, NOTE):
            save(world.path(name), world.read(name), lambda: None)
    assert world.settle() == ()


def test_a_change_within_one_tick_of_a_coarse_file_system_is_still_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = place._stamp

    def coarse(status: os.stat_result) -> Stamp:
        mtime, ctime, size, inode = fine(status)
        return mtime // 10**9 * 10**9, ctime // 10**9 * 10**9, size, inode

    monkeypatch.setattr(place, "_stamp", coarse)
    world = begun(tmp_path)
    world.look()
    world.write(HANDBOOK, world.read(HANDBOOK).replace(b"kind", b"mean"))
    assert b"mean" in only(Edited, world.settle()).content


def test_a_change_that_keeps_size_and_time_is_still_seen(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.tick(10)
    world.look()
    before = world.path(HANDBOOK).stat()
    world.write(HANDBOOK, world.read(HANDBOOK).replace(b"kind", b"mean"))
    os.utime(world.path(HANDBOOK), ns=(before.st_atime_ns, before.st_mtime_ns))
    assert b"mean" in only(Edited, world.settle()).content
