"""Secrets by name: encrypted where there is no keyring, and never lost to a kill."""

from __future__ import annotations

import json
import multiprocessing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local_agent.credentials import Credentials, NoCredential
from vault_protocol.errors import VaultError

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
VALUE = "wise-token-4711-äöü"


def of(folder: Path) -> Credentials:
    return Credentials(folder / "credentials.json", folder / "keys" / "credentials", keyring=False)


def test_a_secret_is_given_back_and_lies_nowhere_in_the_clear(tmp_path: Path) -> None:
    kept = of(tmp_path).set("wise.main", VALUE, now=NOW)
    assert (kept.where, kept.since) == ("file", NOW)
    assert of(tmp_path).get("wise.main") == VALUE
    assert [one.name for one in of(tmp_path).list()] == ["wise.main"]
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert file.stat().st_mode & 0o077 == 0
            assert VALUE.encode() not in file.read_bytes()


def test_a_file_without_its_key_opens_nothing(tmp_path: Path) -> None:
    of(tmp_path).set("wise.main", VALUE, now=NOW)
    (tmp_path / "keys" / "credentials").write_bytes(b"k" * 32)
    with pytest.raises(NoCredential, match="does not open"):
        of(tmp_path).get("wise.main")


@pytest.mark.parametrize("change", ["name", "since", "box"])
def test_an_entry_that_was_changed_or_moved_does_not_open(tmp_path: Path, change: str) -> None:
    of(tmp_path).set("wise.main", VALUE, now=NOW)
    path = tmp_path / "credentials.json"
    entries = json.loads(path.read_text(encoding="ascii"))["secrets"]
    entry = entries.pop("wise.main")
    if change == "since":
        entry["since"] = "2026-11-24T09:00:00Z"
    if change == "box":
        entry["box"] = ("B" if entry["box"][0] == "A" else "A") + entry["box"][1:]
    name = "wise.other" if change == "name" else "wise.main"
    path.write_text(json.dumps({"secrets": {name: entry}}), encoding="ascii")
    with pytest.raises(NoCredential):
        of(tmp_path).get(name)


def test_another_value_takes_the_place_of_the_first_and_a_removed_one_is_gone(tmp_path: Path) -> None:
    of(tmp_path).set("wise.main", VALUE, now=NOW)
    of(tmp_path).set("wise.main", "another", now=NOW)
    assert of(tmp_path).get("wise.main") == "another"
    of(tmp_path).remove("wise.main")
    with pytest.raises(NoCredential, match=r"countersign secrets set wise\.main"):
        of(tmp_path).get("wise.main")


@pytest.mark.parametrize("name", ["", "Wise", "a/b", "wise.main.x", "-x", "x" * 90, "wise main"])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(VaultError, match="no name"):
        of(tmp_path).set(name, VALUE, now=NOW)


def test_another_key_leaves_every_secret_and_its_age_as_they_were(tmp_path: Path) -> None:
    for name in ("a.one", "b.two"):
        of(tmp_path).set(name, f"{VALUE} {name}", now=NOW)
    before = (tmp_path / "keys" / "credentials").read_bytes()
    assert of(tmp_path).new_key() == 2
    assert (tmp_path / "keys" / "credentials").read_bytes() != before
    assert of(tmp_path).get("a.one") == f"{VALUE} a.one"
    assert [one.since for one in of(tmp_path).list()] == [NOW, NOW]


@pytest.mark.parametrize("cut", ["before the file", "before the key"])
def test_a_kill_while_the_key_changes_loses_nothing(tmp_path: Path, cut: str) -> None:
    of(tmp_path).set("a.one", VALUE, now=NOW)
    key, path = tmp_path / "keys" / "credentials", tmp_path / "credentials.json"
    old_key, old_file = key.read_bytes(), path.read_bytes()
    of(tmp_path).new_key()
    new_key = key.read_bytes()
    key.write_bytes(old_key)
    key.with_name("credentials.next").write_bytes(new_key)
    if cut == "before the file":
        path.write_bytes(old_file)
    assert of(tmp_path).get("a.one") == VALUE
    of(tmp_path).set("b.two", "more", now=NOW)
    assert not key.with_name("credentials.next").exists()
    of(tmp_path).new_key()
    assert (of(tmp_path).get("a.one"), of(tmp_path).get("b.two")) == (VALUE, "more")


def _set_many(folder: Path, letter: str) -> None:
    for number in range(10):
        of(folder).set(f"{letter}.n{number}", VALUE, now=NOW)


def test_several_processes_lose_none_of_each_others(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_set_many, args=(tmp_path, letter)) for letter in "ab"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert len(of(tmp_path).list()) == 20
