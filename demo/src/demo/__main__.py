"""`python -m demo`: the gate on embedded parts, from an arriving mail to exactly one sent mail."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import FrameType

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from demo import week_claims
from demo.claims import Claim, check
from demo.processes import NotReady
from demo.story import Story
from demo.week import week
from demo.world import DemoFailed, world

CLAIMS_UNTRUE = 1
WIDTH = 100
_WITHOUT_FONTS = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""rich's picture, but loading no font from anywhere."""


def main() -> int:
    """Exit 0 when every claim held, 1 when one did not or a step failed, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--yes", action="store_true", help="decide by itself: approve")
    parser.add_argument("--web", action="store_true", help="decide on the approvals page, in a browser")
    parser.add_argument("--git", action="store_true", help="publish to a plain git remote instead of a resident hub")
    parser.add_argument("--week", action="store_true", help="a week without the owner's machine, in simulated time")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the vault, the mails and the logs there")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write what was shown as an SVG picture")
    options = parser.parse_args()
    if options.yes and options.web:
        parser.error("--yes decides by itself and --web lets you decide: take one of them")
    if options.week and (options.web or options.git):
        parser.error("--week decides by itself, on a resident hub: take it without --web and --git")
    if not (options.yes or options.web or options.week or sys.stdin.isatty()):
        parser.error("there is nobody to ask (no terminal): use --yes, or --web")
    if options.keep and options.keep.exists() and any(options.keep.iterdir()):
        parser.error(f"--keep: {options.keep} is not empty")
    signal.signal(signal.SIGTERM, _interrupt)
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # nothing of it stays in yours
    width = WIDTH if options.svg or not sys.stdout.isatty() else None
    console = Console(record=bool(options.svg), width=width, highlight=False)
    folder = options.keep or Path(tempfile.mkdtemp(prefix="countersign-demo-"))
    folder.chmod(0o700) if folder.exists() else folder.mkdir(mode=0o700, parents=True)
    try:
        return _week(folder.resolve(), console) if options.week else _run(folder.resolve(), console, options)
    except (DemoFailed, NotReady) as error:
        console.print(Text(f"\nThe demo failed: {error}", style="red"))
        return CLAIMS_UNTRUE
    except KeyboardInterrupt:
        console.print("\nStopped; every process has ended.")
        return 130
    finally:
        if options.svg:
            console.save_svg(
                str(options.svg),
                title=f"./just demo {'--week' if options.week else '--yes'}",
                code_format=_WITHOUT_FONTS,
            )
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, console: Console, options: argparse.Namespace) -> int:
    console.print(Text("Countersign", style="bold"), Text("· the gate, with real mail, real git, real processes"))
    with world(folder, resident=not options.git) as made:
        story = Story(made, console, options.yes, options.web)
        story.prepare()
        ended = story.tell()
        made.stop()
        return _checked(console, check(made, ended, story))


def _week(folder: Path, console: Console) -> int:
    console.print(Text("Countersign", style="bold"), Text("· a week in simulated time, with real mail, git, processes"))
    with week(folder, console) as made:
        made.run()
        made.world.stop()
        return _checked(console, week_claims.check(made))


def _checked(console: Console, found: Iterable[Claim]) -> int:
    console.print()
    console.rule("What was claimed, checked", style="dim", align="left")
    claims = list(found)
    for claim in claims:
        _show(console, claim)
    held = sum(claim.holds for claim in claims)
    console.print(
        Text(f"\n{held} of {len(claims)} claims hold.", style="bold green" if held == len(claims) else "bold red")
    )
    return 0 if held == len(claims) else CLAIMS_UNTRUE


def _show(console: Console, claim: Claim) -> None:
    mark = Text("  ✓ ", style="green") if claim.holds else Text("  ✗ ", style="bold red")
    console.print(mark + Text(claim.says) + Text("" if claim.holds else f"\n    found: {claim.found}", style="red"))


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
