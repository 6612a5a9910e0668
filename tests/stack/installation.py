"""A whole installation in miniature: hub with both agents and real mail, books in containers, and backups of both."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import structlog

from backup.__main__ import main
from demo.commands import run
from demo.world import World, world
from tests.e2e.conftest import Gate
from tests.stack.books import DATABASE, SERVICE, Stack, running
from tests.stack.images import odoo14, postgres15, service
from vault_protocol.task import Stage

REPOSITORY_PASSWORD = "restic-password"


@dataclass
class Backups:
    """The commands of `python -m backup`, in this process, with one settings file."""

    config: Path

    def __call__(self, *words: str, code: int = 0, feed: str = "") -> str:
        """Both its streams. AssertionError, with all it said, for another exit code."""
        said, before = StringIO(), sys.stdin
        sys.stdin = StringIO(feed)
        try:
            with redirect_stdout(said), redirect_stderr(said):
                ended = main(["--config", str(self.config), *words])
        finally:
            sys.stdin = before
            structlog.reset_defaults()
        assert ended == code, said.getvalue()
        return said.getvalue()

    @property
    def repository(self) -> Path:
        return self.config.parent / "repository"


def backups(folder: Path, *parts: str, repository: str = "repository", append_only: bool = False) -> Backups:
    """Settings in a folder of their own; `parts` are further tables of TOML."""
    folder.mkdir(parents=True, exist_ok=True)
    password = folder / REPOSITORY_PASSWORD
    if not password.exists():
        password.touch(0o600)
        password.write_text(secrets.token_urlsafe(24), encoding="utf-8")
    location = repository if ":" in repository else str(folder / repository)
    head = ['state_dir = "state"', *(part for part in parts if not part.startswith("["))]
    tables = [
        "[repository]", f"location = {json.dumps(location)}", f'password_file = "{REPOSITORY_PASSWORD}"',
        f"append_only = {json.dumps(append_only)}", *(part for part in parts if part.startswith("[")),
    ]  # fmt: skip
    config = folder / "backup.toml"
    config.write_text("\n".join([*head, *tables]) + "\n", encoding="utf-8")
    return Backups(config)


def of_vault(home: Path) -> str:
    return f"[vault]\nhome = {json.dumps(str(home))}"


@dataclass
class Installation:
    """Both agents at work, the books up, and the backups of all of it."""

    office: Gate
    books: Stack
    filestore: Path
    backups: Backups
    sent: list[str] = field(default_factory=list)

    @property
    def world(self) -> World:
        return self.office.world

    def approve(self, topic: str) -> None:
        """Send the answer to a mail, as its owner would."""
        self.world.with_passphrase("approve", self.office.at(topic, Stage.PENDING_APPROVAL).id, "--yes")
        self.office.at(topic, Stage.DONE)
        self.sent.append(topic)


@contextmanager
def at_work(folder: Path) -> Iterator[Gate]:
    """A resident hub, Cloud and Local."""
    with world(folder, resident=True) as made:
        made.set_up(undo_seconds=0)
        made.start_cloud()
        made.start_local()
        yield Gate(made, made.tail())


@contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    """Everything, with something in it: an answered mail, a draft that waits, documents in the books."""
    filestore = folder / "filestore"
    filestore.mkdir(parents=True)
    with running(filestore=filestore) as stack, at_work(folder / "office") as office:
        stack.shell((Path(__file__).parent / "seeds" / "scene.py").read_text(encoding="utf-8"))
        made = office.world
        assert made.machine is not None
        images = [f"postgres_image = {json.dumps(postgres15())}", f"odoo_image = {json.dumps(_odoo())}"]
        parts = [
            of_vault(made.machine.folder),
            "\n".join(["[books]", f"filestore = {json.dumps(str(filestore / DATABASE))}",
                       f"database = {json.dumps(DATABASE)}", f"container = {json.dumps(stack.name + '-db')}"]),
            "\n".join(["[drill]", *images]), _agent(made, folder),
        ]  # fmt: skip
        found = Installation(office, stack, filestore, backups(folder / "backup", *parts))
        found.approve(office.ask())
        office.at(office.ask(), Stage.PENDING_APPROVAL)
        found.backups("init")
        yield found
        _readable(filestore)


def _odoo() -> str:
    """Odoo with our addons and no data: what a new machine would have."""
    return service(SERVICE, odoo14())


def _agent(made: World, folder: Path) -> str:
    """The agent that reports drills, made known to the hub and pinned by Local as an owner would."""
    assert made.machine is not None
    home, token = folder / "agent", folder / "agent-token"
    key = run([sys.executable, "-m", "cloud_agent", "init", "--home", str(home), "--agent", "backup"]).strip()
    made.machine.add("backup", "cloud", key, token)
    public = folder / "backup.pub"
    public.write_text(key + "\n", encoding="utf-8")
    made.countersign("init", "--pin", f"backup={public}", "--yes")
    assert made.local is not None
    made.kill(made.local)
    made.start_local()  # which reads the keys it pins when it starts
    values = {
        "vault": made.vault_id, "hub": made.address, "hub_token_file": str(token), "key_file": str(home / "keys/backup")
    }  # fmt: skip
    return "\n".join(["[agent]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())])


def _readable(folder: Path) -> None:
    """So that the test's own folder can be cleared away by whoever runs it."""
    if os.geteuid() == 0:
        folder.chmod(0o700)
