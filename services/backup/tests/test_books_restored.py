import hashlib
from pathlib import Path

import pytest

from backup import ledger_facts
from backup.books_restored import prove_files
from backup.errors import NotProven


@pytest.fixture
def filestore(tmp_path: Path) -> tuple[Path, list[str]]:
    lines = []
    for number in range(4):
        content = f"invoice {number}".encode()
        name = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        (tmp_path / name[:2]).mkdir(exist_ok=True)
        (tmp_path / name[:2] / name).write_bytes(content)
        lines.append(f"{name[:2]}/{name} {name}")
    return tmp_path, lines


def test_every_file_that_a_record_names_is_there_and_is_what_it_was(filestore: tuple[Path, list[str]]) -> None:
    folder, lines = filestore
    assert prove_files(lines, folder) == 4


@pytest.mark.parametrize("how", ["gone", "changed", "elsewhere"])
def test_a_file_that_is_gone_or_changed_or_out_of_bounds_is_named(filestore: tuple[Path, list[str]], how: str) -> None:
    folder, lines = filestore
    name, _, checksum = lines[2].partition(" ")
    if how == "gone":
        (folder / name).unlink()
    elif how == "changed":
        (folder / name).write_bytes(b"another")
    else:
        (folder.parent / "outside").write_bytes((folder / name).read_bytes())
        lines[2] = f"../outside {checksum}"
        name = r"\.\./outside"
    with pytest.raises(NotProven, match=f"1 files .*{name}"):
        prove_files(lines, folder)


def test_what_is_not_the_same_is_named_also_when_it_is_not_there_at_all() -> None:
    dumped = {"moves": {"entry/posted": [3, "10.00"]}, "users": 4}
    assert ledger_facts.differences(dumped, dict(dumped)) == ()
    assert ledger_facts.differences(dumped, {"users": 5}) == ("moves", "users")
