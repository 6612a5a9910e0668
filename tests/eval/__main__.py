"""`python -m tests.eval`: judge and draft the labelled mails, and say how well it went. Offline by default."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from drafting import Drafter
from drafting.offline import OfflineDrafter
from drafting.settings import DrafterSettings, build
from tests.eval import report
from tests.eval.labelled import mails
from tests.eval.scoring import score

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "eval.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """1 when the offline drafter misses what it must reach."""
    parser = argparse.ArgumentParser(prog="eval", description=__doc__)
    parser.add_argument("--drafter", type=Path, metavar="FILE", help="a TOML file with Cloud's [drafter] settings")
    parser.add_argument("--write", action="store_true", help="put the offline figures into docs/eval.md")
    parser.add_argument("--wrong", action="store_true", help="name what went wrong, except in mails held out")
    chosen = parser.parse_args(arguments)
    labelled = mails()
    tokens = [0]

    def spend(asked: int, said: int) -> None:
        tokens[0] += asked + said

    drafter: Drafter = OfflineDrafter()
    name = "offline"
    if chosen.drafter:
        settings = DrafterSettings.model_validate(tomllib.loads(chosen.drafter.read_text("utf-8"))["drafter"])
        drafter, name = build(settings, ROOT / "skills", spent=spend), f"{settings.provider}:{settings.model}"
    found = score(name, drafter, labelled, spent=lambda: tokens[0])
    print(report.figures(found, labelled))
    print()
    print(report.timing(found))
    if chosen.wrong:
        print(*found.wrong, sep="\n")
    if chosen.write and not chosen.drafter:
        text = report.placed(DOCUMENT.read_text("utf-8"), report.figures(found, labelled))
        DOCUMENT.write_text(text, encoding="utf-8")
    reached = found.accuracy >= 0.85 and found.held_accuracy >= 0.85 and found.inventions == 0
    return 0 if reached or chosen.drafter else 1


if __name__ == "__main__":
    sys.exit(main())
