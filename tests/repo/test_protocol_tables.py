"""docs/protocol.md quotes the code: its tables are rendered from `moves` and `zones`, and fail here when stale."""

from __future__ import annotations

from pathlib import Path

from tools.protocol_tables import render, rendered_page

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"


def test_the_tables_in_the_protocol_page_are_those_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == rendered_page(page), "run `./just tables`"


def test_a_stale_table_would_be_seen() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert rendered_page(page.replace("| Done |", "| Gone |")) == page


def test_every_stage_stands_in_the_table_of_moves() -> None:
    moves, *_ = render()
    for stage in ("Needs_Action", "In_Progress", "Pending_Approval", "Approved", "Rejected", "Done", "Quarantine"):
        assert f"| {stage} |" in moves
