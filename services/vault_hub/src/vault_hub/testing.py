"""A hub in this process, on a free port of loopback: what tests and the demo's own checks stand on."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vault_hub.agents import Agents, Standing
from vault_hub.hub import Hub, assemble
from vault_hub.serving import Server, configured
from vault_hub.settings import Settings
from vault_protocol import remote
from vault_protocol.clock import Clock, SystemClock
from vault_protocol.files import write_private
from vault_protocol.sshsig import PublicKey


@dataclass
class RunningHub:
    """A hub's folder and the hub that serves it while it is up. `tokens` has each agent's."""

    folder: Path
    vault: str
    owner_key: PublicKey
    clock: Clock = field(default_factory=SystemClock)
    step: Callable[[str], None] = lambda name: None
    tokens: dict[str, str] = field(default_factory=dict)
    port: int = 0
    changes: Mapping[str, object] = field(default_factory=dict)
    """Settings other than those here."""
    hub: Hub | None = None

    @property
    def settings(self) -> Settings:
        return Settings(
            vault=self.vault, repository=self.folder / "vault.git", agents_dir=self.folder / "agents",
            state_dir=self.folder / "state", owner_key_file=self.folder / "owner.pub", port=self.port,
            secrets_dir=self.folder / "secrets",
            requests_per_second=100_000.0,
        ).model_copy(update=dict(self.changes))  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def repository(self) -> Path:
        return self.settings.repository

    def refusals(self) -> list[tuple[str, str, str]]:
        """Agent, rule and path of everything it refused, oldest first, by its own log."""
        file = self.settings.state_dir / "refusals.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [(found["agent"], found["rule"], found["path"]) for found in map(json.loads, lines)]

    def make(self, agents: Mapping[str, tuple[Standing, PublicKey | None]]) -> None:
        """The folder, with these agents."""
        remote.create(self.repository)
        (self.folder / "agents").mkdir(mode=0o700)
        write_private(self.folder / "owner.pub", (self.owner_key.line("owner") + "\n").encode())
        known = Agents(self.folder / "agents", self.vault, now=self.clock.now, monotonic=self.clock.monotonic)
        for name, (standing, key) in agents.items():
            self.tokens[name] = known.add(name, standing, key)

    def start(self) -> None:
        """Serve, on the port of last time if there was one."""
        settings = self.settings
        self.hub = assemble(settings, self.clock, step=self.step, on_bug=lambda: self._server.end())
        config = configured(
            self.hub.app, connections=settings.connections, proxies=[], graceful=2, host="127.0.0.1", port=self.port
        )
        self._server = Server(config, self.hub.close)
        self._thread = threading.Thread(target=self._server.run, name="hub", daemon=True)
        began = threading.Event()
        startup = self._server.startup

        async def started(sockets: list[socket.socket] | None = None) -> None:
            await startup(sockets=sockets)
            began.set()

        self._server.startup = started  # type: ignore[method-assign]
        self._thread.start()
        if not began.wait(30):
            raise TimeoutError("the hub did not start")
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        """End it as SIGTERM would."""
        if self.hub is None:
            return
        self._server.end()
        self._thread.join(30)
        self.hub = None
