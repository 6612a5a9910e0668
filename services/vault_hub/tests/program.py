"""The hub as the process it is in production, started and ended by a test."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from libs.vault_protocol.tests.made import OWNER_KEY, VAULT
from libs.vault_protocol.tests.through import Through

from demo.processes import eventually
from vault_hub.__main__ import main
from vault_hub.agents import Agents, Standing
from vault_protocol.clock import SystemClock
from vault_protocol.hub_client import HubClient
from vault_protocol.identity import Identity
from vault_protocol.sshsig import PublicKey
from vault_protocol.store import GitStore

ROOT = Path(__file__).parents[3]


@dataclass
class Program:
    """A hub's folder, and its process while it runs."""

    home: Path
    tokens: dict[str, str] = field(default_factory=dict)
    module: str = "vault_hub"
    below: tuple[str, ...] = ()
    """What it is started by: strace with its options."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def repository(self) -> Path:
        return self.home / "vault.git"

    @property
    def config(self) -> Path:
        return self.home / "hub.toml"

    def make(self, *agents: Identity, port: int = 0, settings: str = "") -> None:
        key = PublicKey.of(OWNER_KEY).line("owner")
        assert main(["init", "--home", str(self.home), "--vault", VAULT, "--owner-key", key, "--port", f"{port}"]) == 0
        self.config.write_text(self.config.read_text() + settings)
        clock = SystemClock()
        known = Agents(self.home / "agents", VAULT, now=clock.now, monotonic=clock.monotonic)
        for one in agents:
            self.tokens[one.agent] = known.add(one.agent, Standing(one.role.value), PublicKey.of(one.key))

    @property
    def log(self) -> Path:
        return self.home / "hub.log"

    def argv(self, *more: str) -> list[str]:
        return [*self.below, sys.executable, "-m", self.module, "run", "--config", str(self.config), *more]

    def start(self, *more: str) -> None:
        port = self.home / "state" / "port"
        port.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv(*more), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        eventually(lambda: port.exists() or self.ended is not None, "the hub listens", seconds=60)
        assert self.ended is None, self.log.read_text()[-2000:]

    @property
    def ended(self) -> int | None:
        """Its exit code, if it has ended."""
        assert self.process is not None
        return self.process.poll()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{int((self.home / 'state' / 'port').read_text())}"

    def client(self, who: str, folder: Path, url: str = "", timeout: float = 20) -> tuple[GitStore, HubClient]:
        store = Through(folder)
        return store, HubClient(store, url or self.url, self.tokens[who], timeout=timeout)

    def get(self, path: str) -> tuple[int, dict[str, object]]:
        line = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=20)
        try:
            line.request("GET", path)
            response = line.getresponse()
            return response.status, json.loads(response.read())
        finally:
            line.close()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait()


@contextmanager
def program(home: Path, *agents: Identity, port: int = 0, settings: str = "") -> Iterator[Program]:
    """Made, not started."""
    found = Program(home)
    found.make(*agents, port=port, settings=settings)
    try:
        yield found
    finally:
        found.kill()
