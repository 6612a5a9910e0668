"""What reads build/bench.json can rely on its shape."""

import json
from pathlib import Path

import pytest

from tests.bench import rows
from tests.bench.__main__ import benches, main
from tests.bench.rows import Row


def test_the_bench_writes_rows_of_the_agreed_shape(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "build" / "bench.json"
    assert main(["--quick", "--only", "parse", "--out", str(out)]) == 0
    (row,) = json.loads(out.read_text(encoding="utf-8"))
    assert row.keys() == {"name", "unit", "ours", "floor", "peers"}
    assert (row["name"], row["unit"]) == ("parse_10000_notes", "ms")
    assert row["ours"] > 0 < row["floor"]
    assert all(value > 0 for value in row["peers"].values())
    assert capsys.readouterr().out.startswith("parse_10000_notes")


def test_every_figure_that_was_promised_has_its_bench() -> None:
    assert set(benches()) == {
        "claim_100", "claim_10000", "claim_100000", "mail_to_draft", "approve_to_accepted", "handoff",
        "parse_10000_notes", "publish_100", "publish_10000", "publish_100000", "claims_per_s_1", "claims_per_s_4",
        "claims_per_s_8", "claims_per_s_16", "claims_per_s_8_batched", "idle",
    }  # fmt: skip


def test_a_person_reads_how_many_times_as_long_the_others_take() -> None:
    line = rows.line(Row("claim_100", "ms", 20.0, 5.0, {"git_cli": 60.0}))
    assert "floor 5 ms (ours 4×)" in line
    assert "git_cli 60 ms (3×)" in line
