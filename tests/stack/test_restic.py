"""The real restic on folders of this machine: what it keeps, what is found broken, who may forget, the second copy."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from backup import settings
from backup.restic import Restic
from demo.processes import eventually
from tests.stack.installation import REPOSITORY_PASSWORD, Backups, backups
from tests.stack.repositories import flips, folder_of, restic

pytestmark = pytest.mark.stack


def test_what_was_backed_up_comes_back_byte_for_byte(things: Backups, tmp_path: Path) -> None:
    before = {file.name: file.read_bytes() for file in (tmp_path / "things").iterdir()}
    assert "nothing was restored" in things("restore", "things", feed="yes\n", code=1)
    assert "not empty" in things("restore", "things", "--yes", code=1)
    shutil.rmtree(tmp_path / "things")
    things("restore", "things", feed="restore\n")
    assert {file.name: file.read_bytes() for file in (tmp_path / "things").iterdir()} == before


def test_the_status_says_how_the_jobs_stand_and_ends_with_1_when_one_is_late_or_small(
    things: Backups, tmp_path: Path
) -> None:
    assert "things" in things("status", code=0)
    for _ in range(3):
        things("run", "--once", "things")
    for file in sorted((tmp_path / "things").iterdir())[:-1]:
        file.unlink()
    things("run", "--once", "things")
    assert "suddenly small" in things("status", "--json", code=1)


def test_a_hundred_random_flips_of_a_byte_are_all_found(things: Backups) -> None:
    assert flips(things, 100, seed=6) == []
    assert "sound" in things("check", "--all"), "put back, nothing is wrong"


def test_a_flip_in_a_key_passes_restics_own_check_and_not_ours(things: Backups) -> None:
    used = restic(things, "key", "list").stdout
    current = next(line[1:9] for line in used.splitlines() if line.startswith("*"))
    other = next(file for file in (things.repository / "keys").iterdir() if not file.name.startswith(current))
    spoilt = bytearray(other.read_bytes())
    at = spoilt.index(b'"data":"') + 20
    spoilt[at] = ord("A") if spoilt[at] != ord("A") else ord("B")  # still Base64
    other.chmod(0o600)
    other.write_bytes(spoilt)
    assert restic(things, "check", "--read-data").returncode == 0
    assert other.name[:12] in things("check", code=1)


def test_prune_leaves_what_it_is_to_keep_and_not_from_a_machine_that_may_only_append(things: Backups) -> None:
    for _ in range(3):
        things("run", "--once", "things")
    text = things.config.read_text("utf-8")
    keep = '[keep]\nwithin = "0h"\nwithin_hourly = "0h"\nwithin_daily = "0h"\nwithin_weekly = "0h"\n'
    things.config.write_text(text + keep, "utf-8")
    assert "3 stay, 3 go" in things("prune")
    assert len(Restic.of(settings.read(things.config)).snapshots()) == 3
    things.config.write_text((text + keep).replace("append_only = false", "append_only = true"), "utf-8")
    assert "append_only" in things("prune", code=1)
    things("check", "--all")


@contextmanager
def append_only_server(folder: Path) -> Iterator[str]:
    """Debian's rclone as restic's server, over loopback: it takes, and never gives up what it has."""
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    argv = ["rclone", "serve", "restic", "--append-only", "--addr", f"127.0.0.1:{port}", "--config", os.devnull]
    with (folder.parent / "rclone.log").open("wb") as log:
        process = subprocess.Popen([*argv, str(folder)], stdout=log, stderr=log)
    try:
        eventually(lambda: answers(port), "the server answers", seconds=30)
        yield f"rest:http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


def files_of(folder: Path) -> dict[str, bytes]:
    """But for locks, which come and go."""
    files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    return {name: content for name, content in files.items() if not name.startswith("locks/")}


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_whoever_takes_the_machine_over_cannot_take_the_past(tmp_path: Path) -> None:
    """Even with the repository's address at hand."""
    with append_only_server(tmp_path / "server") as address:
        made = backups(tmp_path / "backup", folder_of(tmp_path / "things"), repository=address, append_only=True)
        made("init")
        made("run", "--once", "things")
        folder_of(tmp_path / "things", 2)
        made("run", "--once", "things")
        read = settings.read(made.config)
        before = files_of(tmp_path / "server")
        for name in before:
            kind, _, rest = name.partition("/")
            url = f"{address.removeprefix('rest:')}{kind}/{rest.rpartition('/')[2]}".rstrip("/")
            assert httpx2.delete(url, trust_env=False).status_code in (403, 405), name
            assert httpx2.post(url, content=b"instead", trust_env=False).status_code >= 400, name
        assert files_of(tmp_path / "server") == before
        assert len(Restic.of(read).snapshots()) == 2
        assert "names cannot be read here" in made("check", "--all")


def test_names_are_read_through_rclone_where_the_files_are_somewhere_else(things: Backups) -> None:
    away = things.config.with_name("away.toml")
    where = f'location = "rclone::local:{things.repository}"'
    text = things.config.read_text("utf-8").replace(f'location = "{things.repository}"', where)
    away.write_text(text, encoding="utf-8")
    assert "names cannot be read here" in Backups(away)("check")
    assert "sound\n" in Backups(away)("check", "--all")
    file = next(file for file in (things.repository / "snapshots").iterdir())
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert file.name[:12] in Backups(away)("check", "--all", code=1)


def pulling(folder: Path, first: Backups) -> Backups:
    """Local's own repository, with its own password, that copies the first."""
    source = (
        f'[copy_of]\nlocation = "{first.repository}"\npassword_file = "{first.config.parent / REPOSITORY_PASSWORD}"'
    )
    return backups(folder, source, folder_of(folder / "restored-things"))


def test_the_second_copy_opens_with_its_own_password_and_outlives_the_first(things: Backups, tmp_path: Path) -> None:
    second = pulling(tmp_path / "local", things)
    assert "things: newest is" in second("pull")
    assert "things: newest is" in second("pull"), "once more, and nothing is there twice"
    assert len(Restic.of(settings.read(second.config)).snapshots()) == 3
    text = second.config.read_text("utf-8")
    second.config.write_text("pull_every_seconds = 0.001\n" + text, "utf-8")
    assert "nothing new" in second("pull", code=1)
    second.config.write_text(text, "utf-8")
    shutil.rmtree(things.repository)
    shutil.rmtree(tmp_path / "local" / "restored-things")
    second("restore", "things", "--yes")
    restored = {file.name: file.read_bytes() for file in (tmp_path / "local" / "restored-things").iterdir()}
    assert restored == {file.name: file.read_bytes() for file in (tmp_path / "things").iterdir()}


def test_a_flip_in_the_second_copy_is_found_when_it_is_pulled(things: Backups, tmp_path: Path) -> None:
    second = pulling(tmp_path / "local", things)
    second("pull")
    file = next(file for file in (second.repository / "data").rglob("*") if file.is_file())
    file.chmod(0o600)
    file.write_bytes(b"x" + file.read_bytes()[1:])
    assert file.name[:12] in second("pull", code=1)


def test_a_repository_is_never_made_by_accident(tmp_path: Path) -> None:
    made = backups(tmp_path / "backup", folder_of(tmp_path / "things"))
    assert "python -m backup init" in made("run", "--once", "things", code=1)
    assert not made.repository.exists()


def test_the_service_runs_until_it_is_told_to_end(tmp_path: Path) -> None:
    made = backups(tmp_path / "backup", folder_of(tmp_path / "things"))
    process = start(made)
    try:
        eventually(lambda: made.config.with_name("state").joinpath("status.json").exists(), "a first round", seconds=60)
        eventually(
            lambda: '"check"' in (made.config.parent / "state/status.json").read_text("utf-8"), "all", seconds=60
        )
    finally:
        process.terminate()
        assert process.wait(60) == 0
    made("status")


def start(made: Backups) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "backup", "--config", str(made.config), "run", "--init"]
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
