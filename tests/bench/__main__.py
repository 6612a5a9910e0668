"""`python -m tests.bench`: measure, print ratios of one run, write build/bench.json. It asserts no time."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import demo  # noqa: F401 # before tests/ and the folder demo/ can hide the package of that name
from tests.bench import rows
from tests.bench.claims import claims
from tests.bench.contention import claims_per_s
from tests.bench.gate import approve_to_accepted, mail_to_draft
from tests.bench.handoff import handoff
from tests.bench.idle import idle
from tests.bench.parsing import parse
from tests.bench.publish import publish
from tests.bench.rows import Row

OUT = Path(__file__).parents[2] / "build" / "bench.json"


def benches() -> dict[str, Callable[..., Row | Iterable[Row]]]:
    return {
        "claim_100": partial(claims, 100), "claim_10000": partial(claims, 10_000),
        "claim_100000": partial(claims, 100_000), "mail_to_draft": mail_to_draft,
        "approve_to_accepted": approve_to_accepted, "handoff": handoff, "parse_10000_notes": parse,
        "publish_100": partial(publish, 100), "publish_10000": partial(publish, 10_000),
        "publish_100000": partial(publish, 100_000),
        "claims_per_s_1": partial(_contended, 1, 1), "claims_per_s_4": partial(_contended, 4, 1),
        "claims_per_s_8": partial(_contended, 8, 1), "claims_per_s_16": partial(_contended, 16, 1),
        "claims_per_s_8_batched": partial(_contended, 8, 10), "idle": idle,
    }  # fmt: skip


def _contended(agents: int, most: int, folder: Path, *, quick: bool = False) -> tuple[Row, ...]:
    """The race, and for eight agents how evenly it went."""
    row, fairness = claims_per_s(agents, most, folder, quick=quick)
    return (row, fairness) if (agents, most) == (8, 1) else (row,)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="rows whose name begins so")
    parser.add_argument("--quick", action="store_true", help="few rounds and small vaults: does it run at all?")
    parser.add_argument("--out", type=Path, default=OUT, metavar="FILE")
    chosen = parser.parse_args(arguments)
    _see_no_settings()
    wanted = {name: bench for name, bench in benches().items() if name.startswith(chosen.only or "")}
    if not wanted:
        parser.error(f"--only: there is {', '.join(benches())}")
    found = []
    for name, bench in wanted.items():
        begun = time.monotonic()
        with TemporaryDirectory(prefix="countersign-bench-") as folder:
            measured = bench(Path(folder), quick=chosen.quick)
        for row in [measured] if isinstance(measured, Row) else measured:
            found.append(row)
            print(rows.line(row), flush=True)
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    rows.write(found, chosen.out)
    return 0


def _see_no_settings() -> None:
    """No git settings, keys or agents of whoever runs this."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "SSH_"))]:
        del os.environ[name]
    os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0")


if __name__ == "__main__":
    sys.exit(main())
