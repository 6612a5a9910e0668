"""Other programs, with their words when they fail."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class Failed(Exception):
    """A step did not go; the message says which and why, and holds no secret."""


def run(
    argv: Sequence[str],
    *,
    feed: bytes | None = None,
    seconds: float = 60,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Its output. Raises Failed with the end of what it said."""
    try:
        done = subprocess.run(
            argv, input=feed, capture_output=True, timeout=seconds, check=False, cwd=cwd, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"{argv[0]}: {error}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()[-1500:]
        raise Failed(f"{' '.join(argv[:3])} ended with {done.returncode}: {said}")
    return done.stdout


def whole(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace a file in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_bytes(content)
    fresh.chmod(mode)
    fresh.replace(file)
