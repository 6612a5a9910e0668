"""A repository's files by their names alone: no restic is needed to see a flipped byte."""

import hashlib
import random
from pathlib import Path

import pytest

from backup import names
from backup.errors import Damaged
from backup.settings import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    chance = random.Random(1)
    for folder, count in (("data", 12), ("index", 2), ("keys", 2), ("snapshots", 3)):
        for _ in range(count):
            content = chance.randbytes(chance.randrange(100, 5000))
            name = hashlib.sha256(content).hexdigest()
            file = tmp_path / folder / (name[:2] if folder == "data" else "") / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    (tmp_path / "config").write_bytes(b"sealed")
    return tmp_path


def check(folder: Path) -> bool:
    return names.check(Repository(location=str(folder), password_file=folder / "none"), timeout=10)


def test_a_whole_repository_is_sound(repository: Path) -> None:
    assert check(repository)


def test_every_flipped_bit_is_found_wherever_it_is(repository: Path) -> None:
    chance = random.Random(2)
    files = sorted(file for folder in names.FOLDERS for file in (repository / folder).rglob("*") if file.is_file())
    for file in files:
        whole = file.read_bytes()
        spoilt = bytearray(whole)
        spoilt[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        file.write_bytes(spoilt)
        with pytest.raises(Damaged, match=file.name[:12]):
            check(repository)
        file.write_bytes(whole)
    assert check(repository)


def test_a_file_that_was_cut_off_or_does_not_belong_is_found(repository: Path) -> None:
    (repository / "index" / "stray").write_bytes(b"")
    with pytest.raises(Damaged, match="index/stray"):
        check(repository)


def test_a_lock_is_not_looked_at_for_it_may_go_meanwhile(repository: Path) -> None:
    (repository / "locks").mkdir()
    (repository / "locks" / "half").write_bytes(b"")
    assert check(repository)


def test_what_rclone_says_of_a_remote_is_read_the_same_way() -> None:
    good, other = "a" * 64, "b" * 64
    said = f"{good}  data/aa/{good}\n{good}  keys/{other}\n{other}  config\n{good}  locks/{other}\n"
    assert list(names.wrong_of_sums(said)) == [f"keys/{other[:12]}"]


def test_where_only_restic_can_read_nothing_is_claimed(tmp_path: Path) -> None:
    away = Repository(location="rest:https://backups.example/", password_file=tmp_path / "none")
    assert names.check(away, timeout=10) is False
