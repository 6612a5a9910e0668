"""Local: the service's own parts over one vault and one ledger, and the mail server in the same process."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_agent import dashboard, effects, signals
from local_agent.decisions import Desk
from local_agent.effects.ledger import IN_MEMORY, Ledger
from local_agent.executor import Executor, ServerGone
from local_agent.limits import MOST, Limit
from local_agent.mcp.mail import facts
from local_agent.mcp.result import ActResult, told
from tests.sim import cast
from tests.sim.actors import Process, Step, machine_clock
from tests.sim.breach import Died
from vault_protocol import request
from vault_protocol.action import SendMail
from vault_protocol.approval import SignedApproval
from vault_protocol.errors import HubUnreachable, MalformedNote, StaleRevision
from vault_protocol.follow import View
from vault_protocol.request import Request
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import Stage

if TYPE_CHECKING:
    from tests.sim.world import World


class InProcess:
    """The mail server without its pipe. It may die alone, or take the machine with it."""

    def __init__(self, world: World, local: Local) -> None:
        self.world, self.local = world, local
        self.executor: effects.Executor[SendMail] = effects.Executor(
            connector=world.outside, ledger=local.ledger, vault=cast.VAULT, id=local.executor_id,
            key=PublicKey.of(cast.OWNER_KEY), secret=cast.LOCAL_SECRET, now=local.clock.now,
            limit=lambda: Limit(world.per_hour, MOST), dry_run=lambda: world.dry_run, reached=world.may_die,
        )  # fmt: skip

    def act(self, asked: Request, approval: SignedApproval, earlier: list[SignedApproval]) -> ActResult:
        action = asked.action
        assert isinstance(action, SendMail)
        try:
            answer = self.executor.execute(action, approval, earlier=earlier)
            return told(answer, facts(answer, action))
        except Died as death:
            if self.world.rng.random() < 0.5:
                raise ServerGone(str(death)) from None
            raise

    def call(self, server: str, tool: str, **arguments: Any) -> Any:
        raise ServerGone(f"{server} is not in this simulation")


class Local:
    """What is durable is the checkpoint and the ledger; all else goes with the process."""

    def __init__(self, world: World, folder: Path | None) -> None:
        self.world, self.folder = world, folder
        self.clock = machine_clock(world)
        self.machine = 0
        self.confirmed_before: set[str] = set()
        self._move_in(View())

    def restore(self) -> None:
        """Another machine, from a backup: it has the keys and the checkpoint, never the ledger or the executor id.

        What the machine before it had confirmed stays so: its receipt may still be on its way to the hub.
        """
        if not self.ledger._db.in_transaction:
            rows = self.ledger._db.execute("SELECT approval FROM effects WHERE state = 'confirmed'")
            self.confirmed_before |= {str(row[0]) for row in rows}
        self.ledger.close()
        self._move_in(self.process.checkpoint())

    def _move_in(self, found: View) -> None:
        self.machine += 1
        self.executor_id = f"executor-{self.machine}"
        self.ledger = self._open()
        self._start(found)

    @property
    def busy(self) -> bool:
        return self.process.line.busy

    def _start(self, found: View) -> None:
        world = self.world
        self.process = Process(world, cast.LOCAL, self.clock)
        self.process.resume(found)
        self.vault = self.process.vault
        self.server = InProcess(world, self)
        self.executor = Executor(self.vault, self.server, self.clock, self.executor_id, world.may_die)
        self.desk = self.desk_of(self.process)

    def desk_of(self, process: Process) -> Desk:
        rng = self.world.rng
        return Desk(process.vault, self.executor_id, "ann", cast.UNDO, lambda: f"{rng.getrandbits(128):032x}")

    def restart(self) -> None:
        if self.folder is not None:
            self.ledger.close()
            self.ledger = self._open()
        self._start(self.process.checkpoint())

    def steps(self) -> list[Step]:
        return [
            (1.0, lambda: signals.apply_signals(self.vault)),
            (0.5, self.check_drafts),
            (0.5, self.vault.reap),
            (4.0, self.executor.step),
            (0.5, lambda: dashboard.write(self.vault)),
        ]

    def act(self) -> None:
        """One part of the service's step. Anything else that is raised would stop the service."""
        try:
            self.process.look()
            self.world.choose(self.steps())()
        except HubUnreachable:
            return

    def check_drafts(self) -> None:
        """Set aside what asks the owner and does not parse."""
        for task in tuple(self.vault.tasks(Stage.PENDING_APPROVAL)):
            try:
                request.read(task.note)
            except MalformedNote as error:
                with suppress(StaleRevision):
                    self.vault.quarantine(task, reason=error.reason)

    def settle(self) -> None:
        self.vault.refresh()
        signals.apply_signals(self.vault)
        self.check_drafts()
        self.vault.reap()
        self.executor.step()
        dashboard.write(self.vault)

    def outcome(self, approval: str) -> str | None:
        """What is committed in the ledger, read past its own code."""
        row = self.ledger._db.execute("SELECT state FROM effects WHERE approval = ?", (approval,)).fetchone()
        return None if row is None or self.ledger._db.in_transaction else str(row[0])

    def told(self, approval: str) -> str | None:
        """What this machine's ledger says, or the one's before it that did this."""
        return "confirmed" if approval in self.confirmed_before else self.outcome(approval)

    def paused(self) -> bool:
        return self.ledger._db.execute("SELECT 1 FROM switches WHERE name = 'paused'").fetchone() is not None

    def close(self) -> None:
        self.ledger.close()

    def _open(self) -> Ledger:
        if self.folder is not None:
            return Ledger(self.folder / f"{self.executor_id}.sqlite")
        return Ledger(IN_MEMORY)
