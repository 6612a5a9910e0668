"""Other people's commands, run to their end; a failure shows the program's own words."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence


class DemoFailed(Exception):
    """A step of the demo did not do what it should; the message shows the program's own words."""


def run(
    argv: Sequence[str], *, stdin: str | None = None, check: bool = True, pass_fds: tuple[int, ...] = (),
    env: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """What it printed. Raises DemoFailed when it fails, unless told not to `check`."""
    done = subprocess.run(
        argv, input=stdin, stdin=subprocess.DEVNULL if stdin is None else None, capture_output=True,
        encoding="utf-8", timeout=120, check=False, pass_fds=pass_fds, env=env,
    )  # fmt: skip
    if check and done.returncode != 0:
        words = (done.stderr or done.stdout).strip()[-2000:]
        raise DemoFailed(f"`{' '.join(argv[2:5])} …` ended with {done.returncode}: {words}")
    return done.stdout
