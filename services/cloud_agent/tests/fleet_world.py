"""Cloud agents as processes over one resident hub, and the owner's side, which judges every commit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cloud_agent import machine
from demo.launch import MailWorld
from vault_hub.agents import Standing
from vault_hub.testing import RunningHub
from vault_protocol import keys
from vault_protocol.clock import SystemClock
from vault_protocol.connect import connect
from vault_protocol.follow import Trust
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.sshsig import PublicKey
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Role, Stage, Task
from vault_protocol.vault import Vault

LOCAL = AgentId("local")
SECRET = "5e" * 32 + "\n"
"""Every agent of a fleet has the same: it makes one task of one mail, whoever saw it first."""

HELD_UP = """
import sys, time
from pathlib import Path
import cloud_agent.__main__ as agent
from cloud_agent import settings
from drafting.offline import OfflineDrafter

class HeldUp(OfflineDrafter):
    def draft(self, letter, **more):
        Path(sys.argv[2]).touch()
        while not Path(sys.argv[3]).exists():
            time.sleep(0.02)
        return super().draft(letter, **more)

agent.run(settings.read(Path(sys.argv[1])), HeldUp())
"""
"""An agent whose drafter says that it began, and ends once it may."""


@dataclass
class Fleet:
    """`mail` may be None: then no agent has a mailbox."""

    folder: Path
    names: tuple[str, ...]
    mail: MailWorld | None = None
    lease_seconds: int = 600
    running: RunningHub = field(init=False)
    local: Vault = field(init=False)

    def __post_init__(self) -> None:
        own = keys.new()
        known: dict[str, tuple[Standing, PublicKey | None]] = {LOCAL: (Standing.LOCAL, PublicKey.of(own))}
        for name in self.names:
            line = machine.make_home(self.home(name), name)
            (self.home(name) / "secret").write_text(SECRET, encoding="ascii")
            known[name] = (Standing.CLOUD, PublicKey.parse(line))
        self.running = RunningHub(self.folder / "hub", "v1", PublicKey.of(keys.new()))
        self.running.make(known)
        self.running.start()
        for name in self.names:
            self.token(name).write_text(self.running.tokens[name], encoding="ascii")
            self.config(name).write_text(self.settings(name), encoding="utf-8")
        trust = Trust("v1", {AgentId(n): (Role(s.value), k) for n, (s, k) in known.items() if k is not None})
        store, token = GitStore(self.folder / "local.git"), self.folder / "local-token"
        token.write_text(self.running.tokens[LOCAL], encoding="ascii")
        hub = connect(store, self.running.url, token_file=token)
        identity = Identity(LOCAL, Role.LOCAL, "v1", own)
        self.local = Vault(Journal(store, hub, identity, SystemClock(), trust=trust))
        self.local.write("init", "vault", {"Vault.json": b'{"vault": "v1"}'})

    def close(self) -> None:
        self.local.journal.hub.close()
        self.running.stop()
        assert self.running.refusals() == [], "nobody here does what is to be refused"

    def home(self, name: str) -> Path:
        return self.folder / name

    def config(self, name: str) -> Path:
        return self.home(name) / "cloud.toml"

    def token(self, name: str) -> Path:
        return self.home(name) / "hub-token"

    def settings(self, name: str, **changes: str) -> str:
        """The settings file; `changes` are TOML values."""
        values = {
            "agent": f'"{name}"', "vault": '"v1"', "hub": f'"{self.running.url}"', "hub_token_file": '"hub-token"',
            "state_dir": '"state"', "key_file": f'"keys/{name}"', "secret_file": '"secret"',
            "owner_name": '"Olive Owner"', "poll_seconds": "1", "lease_seconds": str(self.lease_seconds), **changes,
        }  # fmt: skip
        lines = [f"{key} = {value}" for key, value in values.items()]
        if self.mail is not None:
            provider = self.mail.provider
            lines += [
                "[[mailboxes]]", 'name = "business"', 'kind = "business"', f'address = "{provider.address}"',
                'host = "127.0.0.1"', f"port = {provider.imap_port}", f'user = "{provider.reading.user}"',
                f'password_file = "{provider.reading.password_file}"', "tls = false",
            ]  # fmt: skip
        return "\n".join(lines) + "\n"

    @contextmanager
    def runs(self, name: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """The agent, or HELD_UP with these arguments, until the block ends."""
        command = ["-c", HELD_UP, str(self.config(name)), *arguments] if arguments else [
            "-m", "cloud_agent", "run", "--config", str(self.config(name)),
        ]  # fmt: skip
        with (self.home(name) / "log").open("ab") as log:
            process = subprocess.Popen([sys.executable, *command], stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def said(self, name: str) -> str:
        return (self.home(name) / "log").read_text(encoding="utf-8")

    def events(self, name: str, event: str) -> list[dict[str, object]]:
        """What the agent logged under this name."""
        lines = [line for line in self.said(name).splitlines() if line.startswith("{")]
        return [found for found in map(json.loads, lines) if found["event"] == event]

    def tasks(self, stage: Stage) -> list[Task]:
        self.local.refresh()
        return list(self.local.tasks(stage))

    def verbs(self, agent: str) -> list[str]:
        """What the agent published, oldest first."""
        self.local.refresh()
        head, store = self.local.journal.head, self.local.journal.store
        line = store.history(None, head) if head else ()
        return [commit.message.partition(":")[0] for commit in line if commit.author == agent]
