from pathlib import Path

import pytest

from tools import adr


def test_a_record_is_numbered_after_the_highest_and_has_the_four_headings(tmp_path: Path) -> None:
    (tmp_path / "0007-earlier.md").touch()
    (tmp_path / "template.md").touch()

    record = adr.create("Why the hub is one process: café", folder=tmp_path)

    assert record.name == "0008-why-the-hub-is-one-process-cafe.md"
    lines = record.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "# 8. Why the hub is one process: café",
        "## Context",
        "## Decision",
        "## Consequences",
        "## Status",
    ]


def test_a_title_without_letters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no letters"):
        adr.create("…", folder=tmp_path)
