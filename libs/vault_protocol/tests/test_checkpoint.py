"""What an agent remembers is believed only when this agent wrote it in this place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vault_protocol.changeset import Trail
from vault_protocol.checkpoint import Checkpoint, Saved
from vault_protocol.hub import CommitId
from vault_protocol.task import AgentId

SAVED = Saved(CommitId("a" * 40), {AgentId("cloud"): Trail(7, "b" * 64)}, 2)
SECRET = b"s" * 32


def at(folder: Path, **changes: Any) -> Checkpoint:
    return Checkpoint(**{"path": folder / "checkpoint.json", "secret": SECRET, "place": "here", **changes})


def test_what_was_saved_is_found_again_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    assert at(tmp_path).load() is None
    at(tmp_path).save(SAVED)
    found = at(tmp_path)
    assert (found.load(), found.doubt) == (SAVED, "")
    assert found.path.stat().st_mode & 0o777 == 0o600


def put(key: str, value: object) -> Callable[[str], str]:
    return lambda text: json.dumps({**json.loads(text), key: value})


CHANGES: dict[str, Callable[[str], str]] = {
    "another head": put("head", "c" * 40),
    "another trail": put("trails", {"cloud": [8, "b" * 64]}),
    "an agent less": put("trails", {}),
    "an older generation": put("generation", 1),
    "no seal": put("seal", ""),
    "no ascii in the seal": put("seal", "é"),
    "cut short": lambda text: text[:-5],
    "another kind of JSON": lambda text: "[]",
    "nothing": lambda text: "",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_file_is_not_believed_and_kept_aside(change: Callable[[str], str], tmp_path: Path) -> None:
    at(tmp_path).save(SAVED)
    path = at(tmp_path).path
    changed = change(path.read_text(encoding="ascii"))
    path.write_text(changed, encoding="utf-8")

    found = at(tmp_path)

    assert found.load() is None
    assert "every commit is judged again" in found.doubt
    assert found.aside.read_text(encoding="utf-8") == changed
    assert at(tmp_path).load() is None, "it is a first run now"


@pytest.mark.parametrize("changes", [{"place": "there"}, {"secret": b"t" * 32}], ids=["place", "secret"])
def test_a_file_of_another_place_or_another_secret_is_not_believed(changes: dict[str, Any], tmp_path: Path) -> None:
    at(tmp_path, **changes).save(SAVED)
    found = at(tmp_path)
    assert (found.load(), found.doubt != "") == (None, True)


def test_without_a_secret_there_is_no_seal(tmp_path: Path) -> None:
    at(tmp_path, secret=b"").save(SAVED)
    assert at(tmp_path, secret=b"").load() == SAVED
