"""What a disk says, in words; and that what met a full one goes on as if it had not."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from vault_protocol import disk, janitor
from vault_protocol.errors import DiskTrouble

ROOT = Path(__file__).parents[3]


def test_while_no_file_can_grow_each_part_says_so_and_then_goes_on(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "libs.vault_protocol.tests.limited", str(tmp_path)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=60, check=True,
    )  # fmt: skip
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines()[:4])
    assert said["commit"].startswith("FOLDER/clone.git: ")
    assert "no room left" in said["commit"] or "may not grow" in said["commit"]
    assert said["record"].startswith("FOLDER: this disk cannot be read or written")
    assert said["publish"] == "well", "what the hub took is not undone by a checkpoint without room"
    assert "followed.json" in said["follow"] or "may not grow" in said["follow"]
    assert done.stdout.splitlines()[4:] == ["commit well", "record well", "publish well", "follow well"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS])
def test_what_a_disk_says_becomes_one_line_with_the_file_and_what_to_do(code: int) -> None:
    words = r"^/here/it is: .*; .*; what waits goes on by itself then$"
    with pytest.raises(DiskTrouble, match=words), disk.watched("nowhere"):
        raise OSError(code, os.strerror(code), "/here/it is")
    assert disk.said(f"error: unable to write file: {os.strerror(code)}") == code


def test_git_does_not_say_why_it_could_not_write_a_ref() -> None:
    line = "error: cannot update ref 'refs/hub/main': couldn't write '/here/refs/hub/main.lock'"
    assert disk.said(line) == errno.ENOSPC
    assert disk.said("error: cannot lock ref 'refs/hub/main': is at 01 but expected 02") is None


@pytest.mark.parametrize("error", [FileNotFoundError(errno.ENOENT, "no"), PermissionError(errno.EACCES, "no")])
def test_other_errors_are_not_taken_for_a_full_disk(error: OSError) -> None:
    with pytest.raises(type(error)), disk.watched("nowhere"):
        raise error


def test_a_busy_database_is_no_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "busy.sqlite"
    with closing(sqlite3.connect(path)) as first, closing(sqlite3.connect(path, timeout=0)) as second:
        first.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError), disk.watched(tmp_path):
            second.execute("BEGIN EXCLUSIVE")


def test_a_log_loses_the_line_that_finds_no_room_and_fails_nothing() -> None:
    program = "from vault_protocol import disk; s = disk.Stream('stderr'); s.write('lost\\n'); s.flush(); print('on')"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=full, text=True, timeout=60, check=True
        )
    assert done.stdout == "on\n"


def test_what_git_wrote_by_halves_is_cleared_and_what_libgit2_writes_is_left(tmp_path: Path) -> None:
    for name in ("4b/tmp_obj_SuIH8Q", "pack/tmp_pack_x1", "pack/tmp_idx_x1", "tmp_object_git2_x1"):
        path = tmp_path / "objects" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert sorted(janitor.clear_half_written(tmp_path)) == [
        "objects/4b/tmp_obj_SuIH8Q", "objects/pack/tmp_idx_x1", "objects/pack/tmp_pack_x1",
    ]  # fmt: skip
    assert (tmp_path / "objects" / "tmp_object_git2_x1").exists()
