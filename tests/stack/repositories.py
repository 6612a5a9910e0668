"""A repository of the real restic, to be spoilt: with three snapshots and two keys in it."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from backup import names, settings
from backup.errors import BackupError
from backup.restic import Restic
from backup.work import check
from tests.stack.installation import REPOSITORY_PASSWORD, Backups, backups


def example(folder: Path) -> None:
    """Made in this folder, with what was backed up into it."""
    made = backups(folder / "backup", folder_of(folder / "things"))
    made("init")
    for seed in (1, 2, 3):
        folder_of(folder / "things", seed)
        made("run", "--once", "things")
    second = folder / "second-password"
    second.write_text("another way in\n", encoding="utf-8")
    restic(made, "key", "add", "--new-password-file", str(second))


def folder_of(path: Path, seed: int = 1) -> str:
    """A folder with a few files in it, as a table of settings."""
    chance = random.Random(seed)
    path.mkdir(parents=True, exist_ok=True)
    for number in range(6):
        (path / f"file-{number}").write_bytes(chance.randbytes(40_000))
    return f'[[folders]]\nname = "things"\npath = "{path}"'


def restic(made: Backups, *words: str) -> subprocess.CompletedProcess[str]:
    """The program itself, as somebody with the password would run it."""
    read = settings.read(made.config)
    password = made.config.parent / REPOSITORY_PASSWORD
    argv = ["restic", "--repo", str(read.repository.location), "--password-file", str(password), "--no-cache", *words]
    return subprocess.run(argv, capture_output=True, encoding="utf-8", check=False, timeout=120)


def flips(things: Backups, count: int, seed: int) -> list[str]:
    """Flip one byte at random, look, put it back: so often. The places where nobody noticed."""
    chance, read = random.Random(seed), settings.read(things.config)
    files = sorted(file for file in things.repository.rglob("*") if file.is_file() and "locks" not in file.parts)
    assert {file.relative_to(things.repository).parts[0] for file in files} == {*names.FOLDERS, "config"}
    missed = []
    for _ in range(count):
        file = chance.choice(files)
        whole = file.read_bytes()
        at, spoilt = chance.randrange(len(whole)), bytearray(whole)
        spoilt[at] ^= chance.randrange(1, 256)
        file.chmod(0o600)
        file.write_bytes(spoilt)
        try:
            check(read, Restic.of(read), 0)
            missed.append(f"{file.relative_to(things.repository)} at {at}")
        except BackupError:
            pass
        file.write_bytes(whole)
    return missed
