"""Docker's command line, and an engine to talk to: one is started when none runs."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import time
from pathlib import Path

PREFIX = "countersign-test"
"""Everything that the tests build or start is called so."""
LABEL = f"{PREFIX}=1"


class StackFailed(Exception):
    """The stack could not be made; the message holds the command and what it said."""


def docker(*words: str, feed: str | bytes | None = None, seconds: float = 120, check: bool = True) -> str:
    """Run docker; its output, stripped."""
    done = subprocess.run(
        ["docker", *words],
        input=feed.encode() if isinstance(feed, str) else feed,
        stdin=subprocess.DEVNULL if feed is None else None,
        capture_output=True,
        check=False,
        timeout=seconds,
    )
    output = done.stdout.decode(errors="replace").strip()
    if check and done.returncode:
        said = (output + "\n" + done.stderr.decode(errors="replace")).strip()
        raise StackFailed(f"docker {' '.join(words)[:300]} ended with {done.returncode}:\n{said[-4000:]}")
    return output


def exists(image: str) -> bool:
    return bool(docker("images", "-q", image))


def cache() -> Path:
    """Where what takes minutes to make outlives a clone. The tests' HOME is not the person's."""
    named = os.environ.get("COUNTERSIGN_CACHE")
    folder = Path(named) if named else Path(pwd.getpwuid(os.getuid()).pw_dir, ".cache", "countersign")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def ensure_engine() -> None:
    """An engine that answers, started when there is none and we are root."""
    if not shutil.which("docker"):
        raise StackFailed("docker is missing; `./just test-stack` installs it as root on Debian")
    if _answers():
        return
    if os.getuid() != 0 or not shutil.which("dockerd"):
        raise StackFailed(
            "no Docker engine answers, and only root can start one: start it, or add yourself to its group"
        )
    log = cache() / "dockerd.log"
    print(f"stack: starting dockerd (log in {log})", file=sys.stderr)
    with log.open("ab") as out:
        subprocess.Popen(["dockerd"], stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    for _ in range(120):
        if _answers():
            return
        time.sleep(0.5)
    raise StackFailed(f"dockerd does not answer after 60 s; see {log}")


def _answers() -> bool:
    done = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=60)
    return done.returncode == 0
