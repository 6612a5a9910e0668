"""Start the demo's servers as processes of their own, and end them again."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

START_SECONDS = 30.0
STOP_SECONDS = 10.0

T = TypeVar("T")


class NotReady(Exception):
    """Something did not come in time; the message names it and shows the server's last words."""


def eventually(look: Callable[[], T], what: str, *, seconds: float = 20.0) -> T:
    """Look until the answer is truthy and return it; raises NotReady after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise NotReady(f"not within {seconds:g} s: {what}")
        time.sleep(0.01)
    return found


@dataclass(frozen=True)
class Running:
    """A server process that listens."""

    process: subprocess.Popen[bytes]
    ports: Mapping[str, int]
    log: Path

    def stop(self) -> int:
        """Ask it to end (SIGTERM), insist after STOP_SECONDS; returns the exit code. Safe to repeat."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            if self.process.stdin:
                self.process.stdin.close()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()


def start(module: str, arguments: list[str], folder: Path) -> Running:
    """Run `python -m MODULE ARGUMENTS` until it has written its ports file; it ends when we do."""
    folder.mkdir(parents=True, exist_ok=True)
    ports_file = folder / f"{module}.ports.json"
    ports_file.unlink(missing_ok=True)
    log = folder / f"{module}.log"
    command = [sys.executable, "-m", module, "--ports-file", str(ports_file), "--exit-with-stdin", *arguments]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output)
    try:
        eventually(
            lambda: ports_file.exists() or process.poll() is not None,
            f"{module} listens",
            seconds=START_SECONDS,
        )
        if not ports_file.exists():
            raise NotReady(f"{module} ended at once: {log.read_text(errors='replace')[-2000:]}")
        return Running(process, json.loads(ports_file.read_bytes()), log)
    except BaseException:
        process.kill()
        process.wait()
        raise
