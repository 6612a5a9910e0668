import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backup.errors import SourceFailed
from backup.fetched import Fetched
from backup.folder_source import FolderSource
from backup.messages import Snapshot
from backup.settings import Folder
from vault_protocol.scan import NO_SECRETS, OwnSecrets

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def kuma(tmp_path: Path) -> Iterator[Path]:
    """A service's folder with a database in it that somebody writes to right now."""
    folder = tmp_path / "kuma"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "kuma.db")) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE beat (n INTEGER)")
        writer.executemany("INSERT INTO beat VALUES (?)", [(n,) for n in range(500)])
        writer.commit()
        writer.execute("INSERT INTO beat VALUES (-1)")  # under way, not committed
        yield folder


def test_a_database_whose_program_has_ended_is_copied_without_a_word_written_beside_it(tmp_path: Path) -> None:
    """Read only, as the backup's container has it; SQLite would make its log's index there otherwise."""
    folder = tmp_path / "kuma"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "kuma.db")) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE beat (n INTEGER)")
    assert [file.name for file in folder.iterdir()] == ["kuma.db"]
    staged = FolderSource(Folder(name="kuma", path=folder, sqlite=("kuma.db",)), NO_SECRETS).stage(tmp_path / "s", NOW)
    assert [file.name for file in folder.iterdir()] == ["kuma.db"]
    with closing(sqlite3.connect(staged.manifest.paths["sqlite:kuma.db"])) as found:
        assert found.execute("SELECT count(*) FROM beat").fetchone() == (0,)


def test_a_database_in_use_is_copied_as_of_a_commit(kuma: Path, tmp_path: Path) -> None:
    source = FolderSource(Folder(name="kuma", path=kuma, sqlite=("kuma.db",)), NO_SECRETS)
    staged = source.stage(tmp_path / "spool", NOW)
    copy = Path(staged.manifest.paths["sqlite:kuma.db"])
    with closing(sqlite3.connect(copy)) as found:
        assert found.execute("SELECT count(*), min(n) FROM beat").fetchone() == (500, 0)
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert [str(kuma / f"kuma.db{end}") for end in ("", "-wal", "-shm")] == list(staged.exclude)
    assert copy in staged.paths


def test_a_file_that_says_it_is_a_database_and_is_none_stops_it(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database at all, but long enough to look like one" * 20)
    with pytest.raises(SourceFailed, match=r"x\.db"):
        FolderSource(Folder(name="kuma", path=tmp_path, sqlite=("x.db",)), NO_SECRETS).stage(tmp_path / "s", NOW)


def test_a_folder_that_holds_a_secret_is_not_taken_until_it_is_excluded(tmp_path: Path) -> None:
    folder = tmp_path / "configuration"
    folder.mkdir()
    (folder / "stack.env").write_text("NAME=x\nTOKEN=c29tZSBzZWNyZXQ=\n", encoding="utf-8")
    secrets = OwnSecrets.of(["some secret"])  # in base64 there
    with pytest.raises(SourceFailed, match=r"stack\.env holds one"):
        FolderSource(Folder(name="conf", path=folder), secrets).stage(tmp_path / "spool", NOW)
    FolderSource(Folder(name="conf", path=folder, exclude=("*.env",)), secrets).stage(tmp_path / "spool", NOW)


def test_a_manifest_that_leads_out_of_the_snapshot_is_refused(tmp_path: Path) -> None:
    from backup.errors import NothingThere
    from backup.manifest import Manifest

    snapshot = Snapshot(id="a", time=NOW, paths=())
    evil = Manifest(kind="kuma", taken="2026-11-23T09:00:00Z", paths={"folder": "/x/../../etc"})
    with pytest.raises(NothingThere, match="names"):
        Fetched(snapshot, tmp_path, evil).part("folder")
