"""The owner: looks, thinks while the world goes on, decides; in the service's own process or by a command."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local_agent.decisions import Desk, How
from local_agent.executor import ServerGone
from tests.sim import cast, reading
from tests.sim.actors import Process, Step
from vault_protocol import request
from vault_protocol.approval import SignedApproval
from vault_protocol.errors import (
    HubUnreachable,
    IllegalMove,
    MalformedNote,
    NoSuchTask,
    Refused,
    StaleRevision,
    VaultError,
)
from vault_protocol.note import Note
from vault_protocol.request import Request
from vault_protocol.task import Stage, Task

if TYPE_CHECKING:
    from tests.sim.world import World

TOLD = (StaleRevision, IllegalMove, NoSuchTask, MalformedNote, HubUnreachable)
"""What a person is told when the task moved on while they thought."""


@dataclass
class Look:
    """A task as it was shown, and the hand it will be decided by."""

    process: Process
    desk: Desk
    how: How
    task: Task


class Owner:
    """Knows what they saw; the judge holds every effect against that."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.looks: list[Look] = []

    @property
    def busy(self) -> bool:
        return any(look.process.line.busy for look in self.looks)

    def restart(self) -> None:
        """The command died; the page dies with the service."""
        self.looks.clear()

    def steps(self) -> list[Step]:
        return [
            (2.0, self.look),
            (4.0 if self.looks else 0.0, self.decide),
            (0.4, self.undo),
            (0.4, self.resolve),
            (0.15, self.change_mind),
        ]

    def act(self) -> None:
        self.looks = [
            look for look in self.looks if look.how is How.COMMAND or look.process is self.world.local.process
        ]
        self.world.choose(self.steps())()

    def look(self) -> None:
        process, how = self._hand()
        try:
            process.look()
        except HubUnreachable:
            return
        pending = list(process.vault.tasks(Stage.PENDING_APPROVAL))
        if pending and len(self.looks) < 4:
            shown = self.world.rng.choice(pending)
            self.looks.append(Look(process, self.world.local.desk_of(process), how, shown))

    def decide(self) -> None:
        rng = self.world.rng
        free = [look for look in self.looks if not look.process.line.busy]
        if not free:
            return
        look = rng.choice(free)
        with suppress(*TOLD):
            self._decide(look, rng.random())
        self.looks.remove(look)

    def _decide(self, look: Look, way: float) -> None:
        task, desk, how = look.task, look.desk, look.how
        if not task.has_action:
            (desk.acknowledge(task, how=how) if way < 0.6 else desk.send_back(task, remark="do it", how=how))
        elif way < 0.6:
            self.approve(look, task.note, None)
        elif way < 0.72:
            note = self._edited(task)
            self.approve(look, note, note)
        elif way < 0.78:
            desk.edit(task, self._edited(task), how=how)
        elif way < 0.85:
            desk.reject(task, why="no", how=how)
        elif way < 0.87:
            self._let_a_secret_slip(look)
        else:
            desk.send_back(task, remark="shorter", how=how)

    def approve(self, look: Look, shown: Note, edited: Note | None) -> None:
        signer = self.world.signer
        signer.looking_at = reading.digest_of_note(shown.body) or ""
        asked = request.read(shown)
        if asked is not None:
            self.world.seen[asked.action.digest] = asked
        look.desk.approve(look.task, sign=signer, how=look.how, note=edited)

    def undo(self) -> None:
        """Take an approval back as long as nothing was started under it."""
        process, _ = self._hand()
        approved = [] if process.line.busy else list(process.vault.tasks(Stage.APPROVED))
        if not approved:
            return
        local, task = self.world.local, self.world.rng.choice(approved)
        given = [signed.approval for signed in self.published(task.id)]
        mine = [one for one in given if (one.revision, one.executor) == (task.revision, local.executor_id)]
        spent = [local.ledger.revoke(approval, now=local.clock.now()) for approval in mine]
        taken = {reading.approval_id(one.model_dump(mode="json")) for one, ok in zip(mine, spent, strict=True) if ok}
        self.world.door.taken_back |= taken
        self.world.may_die("taken back")
        if mine and all(spent):
            try:
                process.vault.reopen(task, because="undone by the owner")
            except TOLD:
                return

    def resolve(self) -> None:
        """Say what became of an effect, having looked."""
        local = self.world.local
        process, _ = self._hand()
        unsure = list(local.ledger.unknown())
        if not unsure or process.line.busy:
            return
        effect = self.world.rng.choice(unsure)
        happened = self.world.outside.has(effect.approval)
        local.ledger.resolve(effect.id, happened=happened, now=local.clock.now())
        self.world.door.owners_word.add(effect.approval)
        self.world.may_die("resolved")
        if not happened:
            try:
                process.vault.reopen(process.vault.get(effect.task), because="not sent, by the owner's word")
            except TOLD:
                return

    def change_mind(self) -> None:
        process, how = self._hand()
        ended = [] if process.line.busy else list(process.vault.tasks(Stage.REJECTED, Stage.QUARANTINE))
        if ended:
            try:
                desk = self.world.local.desk_of(process)
                desk.send_back(self.world.rng.choice(ended), remark="after all", how=how)
            except TOLD:
                return

    def replay(self) -> None:
        """Another program hands the mail server what it found, or made, with no regard for the task's place."""
        rng, world = self.world.rng, self.world
        given = list(world.history.approvals.values())
        if not given or world.local.busy:
            return
        task = rng.choice(given)["task"]
        every = self.published(task)
        if not every:
            return  # Local has not seen it yet
        signed = rng.choice(every)
        asked = world.seen.get(signed.approval.digest)
        if asked is None:
            return
        if rng.random() < 0.3:
            asked, signed = self._forged(asked, signed)
        earlier = [one for one in every if one.approval.executor != world.local.executor_id]
        try:
            world.local.server.act(asked, signed, earlier)
        except (VaultError, ServerGone):
            return

    def _forged(self, asked: Request, signed: SignedApproval) -> tuple[Request, SignedApproval]:
        rng, approval = self.world.rng, signed.approval
        other = rng.choice(list(self.world.seen.values()))
        changed: dict[str, Any] = rng.choice(
            [
                {"task": cast.letter(rng.randrange(self.world.mails)).id},
                {"revision": approval.revision + 1},
                {"expires": "2027-01-01T00:00:00Z"},
                {"executor": self.world.local.executor_id, "nonce": f"{rng.getrandbits(128):032x}"},
                {"digest": other.action.digest},
                {},
            ]
        )
        forged = signed.model_copy(update={"approval": approval.model_copy(update=changed)})
        return (asked if changed.keys() - {"digest"} else other), forged

    def published(self, task: str) -> list[SignedApproval]:
        """The approvals that lie in the vault, as this machine last saw it."""
        journal = self.world.local.vault.journal
        if journal.head is None:
            return []
        paths = [path for path, _ in journal.store.paths(journal.head, "Approvals") if f"/{task}" in path]
        return [SignedApproval.model_validate_json(journal.read(path) or b"") for path in paths]

    def _hand(self) -> tuple[Process, How]:
        """The page, in the service's process, or a command with a process of its own."""
        local = self.world.local
        if not local.busy and self.world.rng.random() < 0.5:
            return local.process, How.PAGE
        command = Process(self.world, cast.LOCAL, local.clock)
        command.resume(local.process.checkpoint())
        return command, How.COMMAND

    def _edited(self, task: Task) -> Note:
        asked = request.read(task.note)
        if asked is None:
            return task.note
        text = self.world.rng.choice(cast.TEXTS) + "Ann\n"
        return request.put(task.note, Request(asked.token, asked.action.model_copy(update={"text": text})))

    def _let_a_secret_slip(self, look: Look) -> None:
        """What holds a secret of this machine stays on it."""
        asked = request.read(look.task.note)
        assert asked is not None
        leaking = asked.action.model_copy(update={"text": f"Use {cast.CANARY}\n"})
        try:
            look.desk.edit(look.task, request.put(look.task.note, Request(asked.token, leaking)), how=look.how)
        except Refused as error:
            if error.rule != "secret":
                raise
