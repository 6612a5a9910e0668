"""Docker and its compose, as programs. Output of what takes long goes to the person; answers come back as text."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SCRUBBED = ("DOCKER_DEFAULT_PLATFORM", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "COMPOSE_ENV_FILES")
"""What would change a stack behind its settings."""


class StackFailed(Exception):
    """Something outside refused; the message says what, which and what to do."""


def run(argv: Sequence[str], *, feed: str | None = None, seconds: float = 120, show: bool = False) -> str:
    """The program's output, stripped. `show` leaves it to the person instead. Raises StackFailed."""
    try:
        done = subprocess.run(
            argv,
            input=feed,
            stdin=subprocess.DEVNULL if feed is None else None,
            stdout=None if show else subprocess.PIPE,
            stderr=None if show else subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
            env=_environment(),
        )
    except FileNotFoundError:
        raise StackFailed(f"{argv[0]} is not installed; install it first") from None
    except subprocess.TimeoutExpired:
        raise StackFailed(f"{' '.join(argv)[:200]} did not end within {seconds:g} s") from None
    if done.returncode:
        said = "" if show else f":\n{((done.stdout or '') + (done.stderr or '')).strip()[-3000:]}"
        raise StackFailed(f"{' '.join(argv)[:200]} ended with {done.returncode}{said}")
    return (done.stdout or "").strip()


def docker(*words: str, feed: str | None = None, seconds: float = 120, show: bool = False) -> str:
    return run(["docker", *words], feed=feed, seconds=seconds, show=show)


def image_id(image: str) -> str:
    """Empty when this engine does not have it."""
    return docker("image", "ls", "-q", "--no-trunc", image).partition("\n")[0]


def ensure_engine() -> None:
    """Raises StackFailed when no engine answers."""
    try:
        docker("info", "--format", "{{.ServerVersion}}")
    except StackFailed as error:
        raise StackFailed(f"no Docker engine answers; start it, or join its group ({error})") from None


@cache
def compose_command() -> tuple[str, ...]:
    """`docker compose`, or the same program by itself. Raises StackFailed when neither is there."""
    named = os.environ.get("COUNTERSIGN_COMPOSE")
    for argv in ([named] if named else []), ["docker", "compose"], ["docker-compose"]:
        if argv and shutil.which(argv[0]):
            done = subprocess.run([*argv, "version", "--short"], capture_output=True, text=True, check=False)
            major = done.stdout.strip().lstrip("v").partition(".")[0]
            if done.returncode == 0 and major.isdigit() and int(major) >= 2:
                return tuple(argv)
    raise StackFailed("`docker compose` is not known here; install Docker's compose plugin, version 2 or newer")


@dataclass(frozen=True)
class Compose:
    """One project: its files, and the environment file that fills them in."""

    file: Path
    environment: Path

    def __call__(self, *words: str, feed: str | None = None, seconds: float = 300, show: bool = False) -> str:
        argv = [*compose_command(), "--env-file", str(self.environment), "-f", str(self.file), *words]
        return run(argv, feed=feed, seconds=seconds, show=show)

    def container(self, service: str) -> str:
        """Its id; empty when there is none."""
        return self("ps", "-q", "-a", service).partition("\n")[0]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in SCRUBBED}
