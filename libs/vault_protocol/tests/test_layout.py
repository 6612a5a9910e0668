"""Names that are surely fine are told so quickly; that must change no verdict."""

from __future__ import annotations

from random import Random

import pytest

from vault_protocol import layout, notes
from vault_protocol.errors import MalformedNote

PIECES = (
    *("a", "Z", "0", "_", "-", ".", "..", "/", "//", " ", "~1", "~", ":", "\n", "%2e", "\u2024", "\u00e9", "\u0660"),
    *(
        "git",
        ".git",
        "GIT~1",
        "gi7eba",
        ".md",
        ".r1",
        ".r0",
        ".json",
        ".jsonl",
        ".md/",
        "x" * 190,
        "Plans/",
        "Done/2026/11/",
    ),
)
"""What the rules are about, and what is fine."""


@pytest.mark.parametrize("by_agent", [True, False])
def test_what_is_surely_fine_no_rule_minds(by_agent: bool) -> None:
    chance, fine, long_ = Random(7), 0, 0
    for _ in range(20_000):
        path = "".join(chance.choices(PIECES, k=chance.randint(1, 6))) + chance.choice(["", ".md"])
        found = layout._fault(path, by_agent=by_agent)
        assert layout.name_fault(path, by_agent=by_agent) == found, path
        fine += found is None
        long_ += found == "the path is too long"
    assert fine > 300
    assert long_ > 30


def test_the_same_unreadable_bytes_are_told_by_the_path_they_stand_at() -> None:
    for path in ("Quarantine/aaaaaaaaaaaaaaba.md", "Needs_Action/email/aaaaaaaaaaaaaaba.md"):
        with pytest.raises(MalformedNote) as told:
            notes.read(path, b"no front matter")
        assert told.value.path == path
        assert "front matter is missing" in told.value.reason


def test_a_note_is_read_by_where_it_stands_and_not_only_by_its_bytes() -> None:
    content = b"---\nid: aaaaaaaaaaaaaaba\ndomain: email\n---\n"
    assert notes.read("Needs_Action/email/aaaaaaaaaaaaaaba.md", content).id == "aaaaaaaaaaaaaaba"
    with pytest.raises(MalformedNote, match="its name says"):
        notes.read("Needs_Action/email/aaaaaaaaaaaaaaca.md", content)
