"""docs/social.md says what the program knows."""

from __future__ import annotations

from pathlib import Path

from social.limits import LIMITS, MB, Limits

PAGE = Path(__file__).resolve().parents[3] / "docs" / "social.md"


def row(limits: Limits) -> str:
    size = f"{min(limits.types.values()) / MB:.2g} MB"
    kinds = ", ".join(kind.removeprefix("image/") for kind in limits.types)
    cells = (
        limits.name, str(limits.longest), limits.unit.value, str(limits.link_weight or "its length"),
        str(limits.reply_longest or "as a post"), "yes" if limits.threads else "no",
        f"{int(limits.pictures_needed)} to {limits.pictures}", f"{kinds} ({size})",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def test_the_table_of_what_a_network_takes_is_the_programs() -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = text.partition("<!-- table:limits -->\n")[2].partition("<!-- /table:limits -->")[0]
    assert table.splitlines()[2:] == [row(limits) for limits in LIMITS.values()]
