"""The demo's world: real servers, a hub, and both agents, each a process of its own."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo import ahead
from demo.commands import DemoFailed, run
from demo.hub_machine import HubMachine, free_port
from demo.launch import MailWorld, mail_world
from demo.letters import OWNER
from demo.processes import NotReady
from demo.tail import Tail
from vault_protocol.connect import connect
from vault_protocol.hub import Hub
from vault_protocol.store import GitStore

OWNER_NAME = "Robin Weber"
SKILLS = Path(__file__).parents[3] / "skills"
UNDO_SECONDS = 2


@dataclass
class World:
    """Everything below one folder. `passphrase` opens the owner's approval key and exists in this process only."""

    folder: Path
    mail: MailWorld
    machine: HubMachine | None = None
    """The resident hub's; None for a plain git remote."""
    passphrase: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    cloud: subprocess.Popen[bytes] | None = None
    local: subprocess.Popen[bytes] | None = None
    home_elsewhere: Path | None = None
    """Local's home when it is not the one beside the others: a restored machine."""
    tails: list[Tail] = field(default_factory=list)
    clock: Path | None = None
    """What every program of ours is told the time by (`demo.ahead`); None for the system's own."""

    @property
    def hub(self) -> Path:
        """The repository that every agent publishes to."""
        return self.machine.repository if self.machine else self.folder / "hub.git"

    @property
    def address(self) -> str:
        """What the agents' settings name."""
        return self.machine.address if self.machine else str(self.hub)

    @property
    def cloud_token(self) -> Path | None:
        return self.cloud_home / "hub-token" if self.machine else None

    def connect(self, store: GitStore) -> Hub:
        """A line to the hub with Cloud's credential."""
        return connect(store, self.address, token_file=self.cloud_token)

    def tail(self, clone: str = "tail.git") -> Tail:
        """A reader's look at the hub."""
        reader = self.folder / "reader-token" if self.machine else None
        store = GitStore(self.folder / clone)
        found = Tail(store, connect(store, self.address, token_file=reader))
        self.tails.append(found)
        return found

    @property
    def vault_folder(self) -> Path:
        return self.folder / "vault"

    @property
    def local_home(self) -> Path:
        return self.home_elsewhere or self.folder / "owners-machine"

    @property
    def cloud_home(self) -> Path:
        return self.folder / "cloud-vm"

    @property
    def vault_id(self) -> str:
        return str(json.loads(self.countersign("status", "--json"))["vault"])

    def set_up(self, *, undo_seconds: int = UNDO_SECONDS, settle_seconds: float = 3.0, page: bool = False) -> None:
        """`cloud_agent init`, then `countersign init`, then Cloud's settings: as an owner would, once.

        `page`: Local serves the approvals page, on a port of its own.
        """
        cloud_key = run([sys.executable, "-m", "cloud_agent", "init", "--home", str(self.cloud_home)])
        public_key = self.folder / "cloud.pub"
        public_key.write_text(cloud_key, "utf-8")
        accounts = self.folder / "accounts.toml"
        accounts.write_text(self._accounts(), encoding="utf-8")
        passphrase_file = self.folder / "passphrase"
        passphrase_file.touch(0o600)
        passphrase_file.write_text(self.passphrase, encoding="utf-8")
        init = [
            "init", "--hub", self.address, "--folder", str(self.vault_folder), "--owner", OWNER_NAME,
            "--account-file", str(accounts), "--pin", f"cloud={public_key}", "--key-protection", "passphrase",
            "--passphrase-file", str(passphrase_file), "--no-dry-run", "--undo-seconds", str(undo_seconds), "--yes",
        ]  # fmt: skip
        if self.machine is not None:
            token = self._introduce(self.machine, json.loads(self.countersign(*init, "--json")), cloud_key.strip())
            init += ["--hub-token-file", str(token)]
        self.countersign(*init)
        passphrase_file.unlink()
        owner_key = str(self.local_home / "keys" / "approval.pub")
        run([sys.executable, "-m", "cloud_agent", "init", "--home", str(self.cloud_home), "--owner-key", owner_key])
        config = self.local_home / "config.toml"
        content = config.read_text(encoding="utf-8")
        changed = {
            "settle_seconds": settle_seconds, "poll_seconds": 0.5,
            "page": json.dumps(page), "page_port": free_port() if page else 0,
        }  # fmt: skip
        for name, value in changed.items():
            content = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", content)
        config.write_text(content, encoding="utf-8")
        self.cloud_config.write_text(self._cloud_settings(), encoding="utf-8")

    def _introduce(self, machine: HubMachine, asked: dict[str, str], cloud_key: str) -> Path:
        """What the first `countersign init` asks of the hub's operator, and Cloud beside it; Local's token."""
        machine.init(asked["vault"], asked["approval_key"])
        token = self.folder / "local-token"
        machine.add("local", "local", asked["local_key"], token)
        machine.add("cloud", "cloud", cloud_key, self.cloud_home / "hub-token")
        machine.add("reader", "reader", None, self.folder / "reader-token")
        machine.start()
        return token

    @property
    def cloud_config(self) -> Path:
        return self.cloud_home / "cloud.toml"

    def start_cloud(self) -> None:
        self.cloud = self._start(
            "cloud", [sys.executable, "-m", "cloud_agent", "run", "--config", str(self.cloud_config)]
        )

    def allow(self, **limits: int) -> None:
        """How many effects of a kind: `mail_per_hour=60`. Once, before Local starts: it reads them then."""
        lines = "".join(f"{name} = {most}\n" for name, most in limits.items())
        with (self.local_home / "config.toml").open("a", encoding="utf-8") as config:
            config.write(f"\n[limits]\n{lines}")

    def start_local(self) -> None:
        self.local = self._start("local", [*COUNTERSIGN, "run", "--home", str(self.local_home)])

    def countersign(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Run the owner's command line; raises DemoFailed with its words when it fails."""
        command, *rest = arguments
        argv = [*COUNTERSIGN, command, "--home", str(self.local_home), *rest]
        return run(self._told(argv), stdin=stdin, check=check)

    def with_passphrase(self, *arguments: str) -> str:
        """A command that signs, with the passphrase handed over by a pipe."""
        read_end, write_end = os.pipe()
        try:
            os.write(write_end, self.passphrase.encode() + b"\n")
            os.close(write_end)
            command, *rest = arguments
            argv = [*COUNTERSIGN, command, "--home", str(self.local_home), *rest, "--passphrase-fd", str(read_end)]
            return run(self._told(argv), pass_fds=(read_end,))
        finally:
            os.close(read_end)

    def try_unlock(self, minutes: int = 60) -> bool:
        """Unlock the service's key for so long; False while the service does not answer yet."""
        try:
            self.with_passphrase("unlock", "--minutes", str(minutes))
        except DemoFailed:
            return False
        return True

    def pair_a_browser(self) -> tuple[str, str]:
        """The link that lets one browser in, and its code; both good once and for five minutes."""
        told = json.loads(self.with_passphrase("page", "--json"))
        return str(told["links"][0]), str(told["code"])

    def list_tasks(self) -> list[dict[str, Any]]:
        return list(json.loads(self.countersign("list", "--json", "--all"))["tasks"])

    def hub_leaves(self) -> None:
        """From now on it does not answer."""
        if self.machine is not None:
            self.machine.kill()
        else:
            self.hub.rename(self.folder / "away.git")

    def hub_returns(self) -> None:
        if self.machine is not None:
            self.machine.start()
        else:
            (self.folder / "away.git").rename(self.hub)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """The process and all it started, as a power cut would."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Ask both agents to end; insist after ten seconds."""
        for process in (self.cloud, self.local):
            if process is None or process.poll() is not None:
                continue
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill(process)

    def log_of(self, name: str) -> str:
        """What a process has said so far; nothing before its first start."""
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def _start(self, name: str, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                self._told(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _told(self, argv: Sequence[str]) -> list[str]:
        return ahead.told(self.clock, argv) if self.clock else list(argv)

    def _accounts(self) -> str:
        provider = self.mail.provider
        return "\n".join([
            "[[accounts]]", 'name = "business"', f"address = {_toml(OWNER)}", f"user = {_toml(provider.acting.user)}",
            f"password_file = {_toml(provider.acting.password_file)}",
            'imap_host = "127.0.0.1"', f"imap_port = {provider.imap_port}", 'imap_tls = "none"',
            'submission_host = "127.0.0.1"', f"submission_port = {provider.submission_port}",
            'submission_tls = "none"', "",
        ])  # fmt: skip

    def _cloud_settings(self) -> str:
        provider = self.mail.provider
        return "\n".join([
            'agent = "cloud"', f"vault = {_toml(self.vault_id)}", f"hub = {_toml(self.address)}",
            *([f"hub_token_file = {_toml(self.cloud_token)}"] if self.cloud_token else []), 'state_dir = "state"',
            f"key_file = {_toml(self._cloud_file('keys/cloud'))}", f"secret_file = {_toml(self._cloud_file('secret'))}",
            f"owner_key_file = {_toml(self._cloud_file('keys/owner.pub'))}",
            f"owner_name = {_toml(OWNER_NAME)}", f"skills_dir = {_toml(SKILLS)}", "poll_seconds = 1", "",
            "[[mailboxes]]", 'name = "business"', 'kind = "business"', f"address = {_toml(OWNER)}",
            'host = "127.0.0.1"', f"port = {provider.imap_port}", f"user = {_toml(provider.reading.user)}",
            f"password_file = {_toml(provider.reading.password_file)}", "tls = false", "idle_seconds = 30", "",
        ])  # fmt: skip

    def _cloud_file(self, name: str) -> Path:
        return self.cloud_home / name


COUNTERSIGN = (sys.executable, "-m", "local_agent")


@contextmanager
def world(folder: Path, *, resident: bool = False, clock: Path | None = None) -> Iterator[World]:
    """The servers, and whatever hub and agents were started, for one block; nothing stays behind.

    `clock`: a file that tells all of ours the time (`demo.ahead`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    with mail_world(folder / "mail") as mail:
        made = World(folder, mail, HubMachine(folder / "hub-vm", clock=clock) if resident else None)
        made.clock = clock
        try:
            yield made
        finally:
            made.stop()
            for tail in made.tails:
                tail.close()
            if made.machine is not None:
                made.machine.stop()


def _toml(value: object) -> str:
    """A TOML basic string: JSON's escapes are all TOML's too."""
    return json.dumps(str(value))


__all__ = ["OWNER_NAME", "DemoFailed", "NotReady", "World", "world"]
