"""A resident hub as a process of its own over a vault of any size, and what an agent needs to talk to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vault_hub.agents import Agents, Standing
from vault_protocol import keys
from vault_protocol.clock import SystemClock
from vault_protocol.files import write_private
from vault_protocol.hub import Hub
from vault_protocol.hub_client import HubClient
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.remote import HEAD, Remote
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Role
from vault_protocol.vault import Vault

VAULT = "bench"
BEHIND = 256
"""As the agents have it."""


@dataclass(frozen=True)
class Seat:
    """One agent's place at a hub: its key, its clone, and how the hub is reached."""

    agent: str
    home: Path
    url: str
    token: str = ""
    """Empty for a plain git remote."""

    def vault(self) -> Vault:
        """The vault in this agent's hands, followed up to the hub's head."""
        store = GitStore(self.home / "clone.git")
        key = keys.load(self.home / "key")
        hub: Hub = HubClient(store, self.url, self.token) if self.token else Remote(store, self.url)
        identity = Identity(AgentId(self.agent), Role.CLOUD, VAULT, key)
        journal = Journal(
            store, hub, identity, SystemClock(), checkpoint=self.home / "followed.json", behind=BEHIND
        )  # fmt: skip
        opened = Vault(journal)
        opened.refresh()
        return opened


@dataclass
class Resident:
    """A hub's folder, its process, and the agents it knows."""

    folder: Path
    process: subprocess.Popen[bytes]
    url: str
    seats: dict[str, Seat] = field(default_factory=dict)


@contextmanager
def resident(folder: Path, template: Path, agents: Sequence[str]) -> Iterator[Resident]:
    """The hub process over a copy of `template`, as it would run in production, and a seat for each agent."""
    folder.mkdir()
    repository, state = folder / "vault.git", folder / "state"
    subprocess.run(["git", "clone", "--quiet", "--mirror", str(template), str(repository)], check=True)
    head = head_of(repository)
    keys.save(keys.new(), folder / "owner", comment="owner")
    state.mkdir()
    # The vault was not made by publishes: the hub begins to judge after it, as it does after any start.
    write_private(state / "followed.json", json.dumps({"head": head, "trails": {}}).encode())
    clock = SystemClock()
    known = Agents(folder / "agents", VAULT, now=clock.now, monotonic=clock.monotonic)
    (folder / "agents").mkdir(mode=0o700)
    tokens = {}
    for agent in agents:
        public = keys.save(keys.new(), folder / agent / "key", comment=agent)
        tokens[agent] = known.add(agent, Standing.CLOUD, public)
        seat_clone(template, folder / agent)
    config = folder / "hub.toml"
    config.write_text(
        f'vault = "{VAULT}"\nrepository = "vault.git"\nagents_dir = "agents"\nstate_dir = "state"\n'
        f'owner_key_file = "owner.pub"\nport = 0\n',
        encoding="utf-8",
    )
    with (folder / "hub.log").open("wb") as log:
        argv = [sys.executable, "-m", "vault_hub", "run", "--config", str(config)]
        process = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{_port(process, state / 'port', folder / 'hub.log')}"
        seats = {agent: Seat(agent, folder / agent, url, tokens[agent]) for agent in agents}
        yield Resident(folder, process, url, seats)
    finally:
        process.terminate()
        process.wait(30)


def seat_clone(template: Path, home: Path) -> None:
    """A clone as an agent has it after a while: at the head, with its note of how far it followed."""
    home.mkdir(exist_ok=True)
    clone = home / "clone.git"
    subprocess.run(["git", "clone", "--quiet", "--mirror", str(template), str(clone)], check=True)
    head = head_of(clone)
    subprocess.run(["git", f"--git-dir={clone}", "update-ref", "refs/hub/main", head], check=True)
    write_private(home / "followed.json", json.dumps({"head": head, "trails": {}}).encode())


def head_of(repository: Path) -> str:
    argv = ["git", f"--git-dir={repository}", "rev-parse", HEAD]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _port(process: subprocess.Popen[bytes], file: Path, log: Path) -> int:
    deadline = time.monotonic() + 60
    while not file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the hub did not start: {log.read_text(encoding='utf-8')[-2000:]}")
        time.sleep(0.01)
    return int(file.read_text(encoding="ascii"))
