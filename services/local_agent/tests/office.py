"""The owner's running service in this process, with an outside that counts what it was sent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from services.local_agent.tests.cli_world import PASSPHRASE, World

from local_agent import effects
from local_agent.assemble import Local, assemble
from local_agent.effects import Ledger, State
from local_agent.effects.execute import Outcome, Policy
from local_agent.executor import ServerGone
from local_agent.limits import MANY
from local_agent.mcp.mail import facts
from local_agent.mcp.result import ActResult, told
from local_agent.service import Service
from vault_protocol.action import SendMail
from vault_protocol.approval import Approved, SignedApproval
from vault_protocol.clock import Clock, SystemClock
from vault_protocol.errors import VaultError
from vault_protocol.keys import KeyLocked
from vault_protocol.request import Request

RETRIES = Policy("none", "nowhere", retries=True)


@dataclass
class Outside:
    """Takes every mail and says so."""

    name: str = "mail"
    policy: Policy = RETRIES
    accepted: list[str] = field(default_factory=list)
    """The task of each mail."""

    def perform(self, what: Approved[SendMail], *, key: str, at: datetime) -> Outcome:
        self.accepted.append(what.approval.task)
        return Outcome(State.CONFIRMED, "250 ok")

    def probe(self, action: SendMail, *, key: str, at: datetime, tried: datetime) -> Outcome:
        return Outcome(State.UNKNOWN, "nobody knows")

    def afterwards(self, action: SendMail, *, key: str, at: datetime) -> None:
        """It keeps no Sent folder."""


class Server:
    """The mail server without its pipe."""

    def __init__(self, local: Local, outside: Outside) -> None:
        home, settings = local.home, local.settings
        self.ledger = Ledger(home.ledger)
        self._executor: effects.Executor[SendMail] = effects.Executor(
            connector=outside, ledger=self.ledger, vault=settings.vault, id=local.executor,
            key=home.approval_public_key(), secret=home.secret_bytes(), now=local.clock.now,
            limit=lambda: MANY, dry_run=lambda: home.settings().dry_run,
        )  # fmt: skip

    def act(self, asked: Request, approval: SignedApproval, earlier: list[SignedApproval]) -> ActResult:
        action = asked.action
        assert isinstance(action, SendMail)
        answer = self._executor.execute(action, approval, earlier=earlier)
        return told(answer, facts(answer, action))

    def call(self, server: str, tool: str, **arguments: Any) -> Any:
        raise ServerGone(f"{server} is not here")


class NoServers:
    """No server is there."""

    def act(self, *_: Any) -> Any:
        raise ServerGone("not here")

    def call(self, *_: Any, **__: Any) -> Any:
        raise ServerGone("not here")


def locked(_message: bytes) -> str:
    raise KeyLocked("the approval key is locked")


@dataclass
class Office:
    """One home, one hub and its backups, and a service that lives as long as `running` says."""

    world: World
    clock: Clock = field(default_factory=SystemClock)
    outside: Outside = field(default_factory=Outside)

    @contextmanager
    def running(self) -> Iterator[Service]:
        local = assemble(self.world.home, self.clock)
        server = Server(local, self.outside)
        service = Service(local, server, locked)
        try:
            yield service
        finally:
            service.close()
            server.ledger.close()

    def approved(self, subject: str = "Your offer") -> str:
        task = self.world.ask_for(subject)
        assert self.world.approve(task, "--yes").code == 0
        return str(task)

    def back_up(self, name: str = "backup") -> None:
        shutil.copytree(self.world.hub, self.world.folder / name)

    def restore(self, name: str = "backup") -> None:
        """As an operator does: the folder is another one, with an older content."""
        self.world.hub.rename(self.world.folder / f"before-{name}")
        shutil.copytree(self.world.folder / name, self.world.hub)

    def re_root(self, *arguments: str, why: str = "the hub went back") -> None:
        ran = self.signed("re-root", "--why", why, "--yes", *arguments)
        assert ran == "", ran

    def signed(self, command: str, *arguments: str) -> str:
        """What a command that signs says when it fails; empty when it does not."""
        ran = self.world.run(command, *arguments, passphrase=PASSPHRASE)
        return "" if ran.code == 0 else ran.err

    def paused(self) -> str:
        return str(self.world.run("status", "--json").json["paused"] or "")


def acting_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    """Set up so that what is approved is done: no dry run, no time to undo."""
    world = World(folder, capsys.readouterr)
    assert world.init("--no-dry-run", "--undo-seconds", "0").code == 0
    return Office(world)


def cloud_follows(world: World) -> None:
    """Cloud, with the owner's key pinned, at the hub's head."""
    try:
        world.following_cloud.refresh()
    except VaultError as error:
        raise AssertionError(f"Cloud does not follow: {error}") from None
