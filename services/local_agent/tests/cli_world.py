"""An owner with a home, a real hub, and a cloud agent that puts drafts up: what the tests of the command line use."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local_agent import cli
from local_agent.assemble import Local, assemble
from local_agent.control import ServiceNotRunning, ask
from local_agent.home import Home
from vault_protocol import keys, request
from vault_protocol.action import Action, Address, SendMail
from vault_protocol.approval import SignedApproval
from vault_protocol.canonical import utc
from vault_protocol.clock import SystemClock
from vault_protocol.connect import connect
from vault_protocol.front_matter import FrontMatter
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.note import Note
from vault_protocol.plain import fenced
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Domain, Role, Stage, Task, TaskId, task_id
from vault_protocol.vault import Vault

PASSPHRASE = "correct horse battery"
COMMAND = (sys.executable, "-m", "local_agent")


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class World:
    """One owner's machine in a folder. `read` gives what the last in-process command printed."""

    def __init__(self, folder: Path, read: Callable[[], tuple[str, str]]) -> None:
        self.folder, self._read = folder, read
        self.home = Home(folder / "home")
        self.hub, self.notes = folder / "hub.git", folder / "notes"
        self.resident: tuple[str, Path] | None = None
        """Address and Cloud's token file, when the hub is a resident one."""
        self._cloud_key = keys.new()
        keys.save(self._cloud_key, folder / "cloud", comment="cloud")
        self.passphrase_file = folder / "passphrase"
        self.passphrase_file.write_text(PASSPHRASE + "\n", encoding="utf-8")

    def init(self, *flags: str) -> Ran:
        return self.run(
            "init", "--hub", str(self.hub), "--folder", str(self.notes), "--owner", "Ann Owner", "--yes",
            "--pin", f"cloud={self.folder / 'cloud.pub'}", "--passphrase-file", str(self.passphrase_file), *flags,
        )  # fmt: skip

    def run(self, command: str, *arguments: str, passphrase: str | None = None) -> Ran:
        """In this process: exit code and what was printed."""
        self._read()
        with _handed_over(passphrase) as handed:
            code = cli.main([command, "--home", str(self.home.path), *arguments, *handed.flags])
        return Ran(code, *self._read())

    def spawn(self, command: str, *arguments: str, passphrase: str | None = None, **env: str) -> Ran:
        """In a process of its own."""
        with _handed_over(passphrase) as handed:
            done = subprocess.run(
                [*COMMAND, command, "--home", str(self.home.path), *arguments, *handed.flags],
                capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL, timeout=60, check=False,
                env={**os.environ, **env}, pass_fds=handed.fds,
            )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    def approve(self, *arguments: str) -> Ran:
        return self.run("approve", *arguments, passphrase=PASSPHRASE)

    @contextmanager
    def service(self) -> Iterator[subprocess.Popen[str]]:
        """`countersign run`, until it answers; ended with SIGTERM."""
        argv = [*COMMAND, "run", "--home", str(self.home.path)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8") as process:
            try:
                until(lambda: self._answers() or process.poll() is not None)
                yield process
            finally:
                process.terminate()
                process.communicate(timeout=30)

    def _answers(self) -> bool:
        try:
            ask(self.home.socket, {"do": "status"})
        except ServiceNotRunning:
            return False
        return True

    @property
    def local(self) -> Local:
        """Local at the hub's head."""
        local = assemble(self.home)
        local.vault.refresh()
        return local

    @property
    def cloud(self) -> Vault:
        return self._cloud(Role.CLOUD)

    @property
    def hostile_cloud(self) -> Vault:
        """Cloud with its own key, which does not hold itself to its rights."""
        return self._cloud(Role.LOCAL)

    @property
    def following_cloud(self) -> Vault:
        """Cloud as it runs: it remembers how far it followed, and has the owner's key pinned. Not refreshed."""
        checkpoint = self.folder / "cloud-followed.json"
        return self._cloud(Role.CLOUD, checkpoint=checkpoint, owner=self.home.approval_public_key(), refresh=False)

    @property
    def unpinned_cloud(self) -> Vault:
        return self._cloud(Role.CLOUD, owner=None)

    def _cloud(self, role: Role, *, refresh: bool = True, **how: Any) -> Vault:
        store = GitStore(self.folder / "cloud-clone.git")
        identity = Identity(AgentId("cloud"), role, self.home.settings().vault, self._cloud_key)
        how = {"owner": self.home.approval_public_key(), **how}
        address, token_file = self.resident or (str(self.hub), None)
        hub = connect(store, address, token_file=token_file)
        vault = Vault(Journal(store, hub, identity, SystemClock(), **how))
        if refresh:
            vault.refresh()
        return vault

    def ask_for(
        self, subject: str = "Your offer", *, text: str = "Thank you, the offer follows.\n",
        action: Action | None = None, sender: str = "Jane <jane@customer.example>", warnings: tuple[str, ...] = (),
        unknowns: tuple[str, ...] = (), original: str = "Could you send me an offer?",
        age: timedelta = timedelta(0), **front: str,
    ) -> TaskId:  # fmt: skip
        """Cloud puts a draft up for approval."""
        task = self.add(subject, sender=sender, original=original, age=age, **front)
        vault = self.cloud
        held = vault.claim_next([Domain.EMAIL], fit=lambda one: one.id == task)
        assert held is not None
        made = action or SendMail(
            account="business", sender=Address(name="Ann Owner", address="ann@owner.example"),
            to=(Address(name="Jane", address="jane@customer.example"),), subject=f"Re: {_line(subject)}",
            in_reply_to="<1@customer.example>", text=text, quote="> Could you send me an offer?\n",
        )  # fmt: skip
        vault.submit(held, request.put(held.note, request.Request(secrets.token_hex(8), made, warnings, unknowns)))
        return task

    def add(
        self, subject: str, *, sender: str = "Jane <jane@customer.example>", original: str = "Hello",
        age: timedelta = timedelta(0), **front: str,
    ) -> TaskId:  # fmt: skip
        """A mail that waits for an agent."""
        received = utc(datetime.now(UTC) - age)
        fields = {"type": "email", "from": sender, "subject": subject, "received": received, "priority": "normal"}
        note = Note(FrontMatter().put(**{**fields, **front}), f"\n# A mail\n\n## Original\n\n{fenced(original)}")
        id_ = task_id(b"secret", mailbox="business", message_id=secrets.token_hex(4), content_sha256="00")
        self.cloud.add(Task(id=id_, stage=Stage.NEEDS_ACTION, domain=Domain.EMAIL, slug="mail", note=note))
        return id_

    def stage(self, task: str) -> Stage:
        return self.local.vault.get(task).stage

    def audit(self) -> list[str]:
        """What Local wrote into the log."""
        return [record["action_type"] for record in self.run("log", "--json", "--limit", "0").json["records"]]

    def hub_away(self) -> Path:
        """Take the hub away; gives where it is now."""
        return self.hub.rename(self.folder / "hub-elsewhere.git")


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    """Wait for it; fails when it does not come."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)


@dataclass(frozen=True)
class _Handed:
    flags: tuple[str, ...] = ()
    fds: tuple[int, ...] = ()


@contextmanager
def _handed_over(passphrase: str | None) -> Iterator[_Handed]:
    """The passphrase in a pipe, as `--passphrase-fd` wants it."""
    if passphrase is None:
        yield _Handed()
        return
    reading, writing = os.pipe()
    try:
        os.write(writing, passphrase.encode() + b"\n")
        os.close(writing)
        yield _Handed(("--passphrase-fd", str(reading)), (reading,))
    finally:
        os.close(reading)


def _line(subject: str) -> str:
    return "".join(c for c in subject if c.isprintable())


def approvals(world: World) -> list[SignedApproval]:
    """What the owner signed, as it lies in the vault."""
    local = world.local
    assert local.vault.journal.head is not None
    paths = [path for path, _ in local.store.paths(local.vault.journal.head, "Approvals")]
    return [SignedApproval.model_validate_json(local.vault.journal.read(path) or b"") for path in paths]
