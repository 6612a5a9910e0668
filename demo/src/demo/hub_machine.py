"""The hub's machine: `python -m vault_hub` set up as its operator would, and run as a process of its own."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from demo import ahead
from demo.commands import run
from demo.processes import eventually
from demo.serving import LOOPBACK
from vault_protocol.files import write_private

VAULT_HUB = (sys.executable, "-m", "vault_hub")


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as found:
        port: int = found.getsockname()[1]
        return port


@dataclass
class HubMachine:
    """Everything of the hub below one folder; it keeps its port over restarts."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    clock: Path | None = None
    """What it is told the time by (`demo.ahead`); None for the system's own."""

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def repository(self) -> Path:
        return self.folder / "vault.git"

    @property
    def config(self) -> Path:
        return self.folder / "hub.toml"

    @property
    def log(self) -> Path:
        return self.folder / "hub.log"

    def init(self, vault: str, owner_key: str) -> None:
        where = ["--home", str(self.folder), "--port", str(self.port)]
        run([*VAULT_HUB, "init", *where, "--vault", vault, "--owner-key", owner_key])

    def add(self, agent: str, standing: str, key: str | None, token_file: Path) -> None:
        """Make the agent known; its token goes into this file."""
        known = ["--key", key] if key is not None else []
        write_private(token_file, self.agent("add", agent, "--standing", standing, *known).encode("ascii"))

    def agent(self, *arguments: str) -> str:
        return run([*VAULT_HUB, "agent", "--config", str(self.config), *arguments])

    def start(self) -> None:
        """Serve; returns once it answers."""
        with self.log.open("ab") as log:
            argv = [*VAULT_HUB, "run", "--config", str(self.config)]
            argv = ahead.told(self.clock, argv) if self.clock else argv
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        eventually(lambda: self._ready() or self.process_ended, "the hub answers")
        if self.process_ended:
            raise RuntimeError(f"the hub ended at once: {self.log.read_text(encoding='utf-8')[-2000:]}")

    @property
    def process_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def kill(self) -> None:
        """As a power cut would, with whatever git it had started."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """Ask it to end; insist after twenty seconds."""
        if self.process_ended or self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def _ready(self) -> bool:
        line = http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)
        try:
            line.request("GET", "/readyz")
            return line.getresponse().status == 200
        except OSError:
            return False
        finally:
            line.close()
