"""Approvals, audit records and finished tasks, held against one another: I5, I6."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydantic import ValidationError

from vault_protocol import approval, audit, request
from vault_protocol.action import Action
from vault_protocol.approval import SignedApproval
from vault_protocol.audit import BrokenChain, Record
from vault_protocol.canonical import moment
from vault_protocol.doctor.finding import Finding, finding
from vault_protocol.errors import ApprovalRefused
from vault_protocol.follow import Trust
from vault_protocol.hub import CommitId, Store
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AgentId, Role, Stage, Task

DECIDED, CONFIRMED = "approval.decided", "effect.confirmed"


@dataclass(frozen=True)
class Act:
    """An audit record about one approval: that it was given, or that its effect happened."""

    kind: str
    task: str
    approval: str
    digest: str
    path: str


def act_of(record: Record, path: str) -> Act | None:
    """How the records of Local name an approval. None for every other record, a rejection among them."""
    named = record.parameters.get("approval")
    if record.action_type not in (DECIDED, CONFIRMED) or not isinstance(named, str):
        return None
    return Act(record.action_type, record.target, named, str(record.parameters.get("digest")), path)


@dataclass
class Papers:
    """What lies in Approvals/ and Logs/. `vault` is None when nothing says which one this is."""

    vault: str | None
    approvals: dict[str, SignedApproval] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    broken: list[Finding] = field(default_factory=list)

    @classmethod
    def read(cls, store: Store, head: CommitId, trust: Trust | None) -> Papers:
        papers = cls(trust.vault if trust else None)
        for path, blob in store.paths(head, "Approvals"):
            try:
                papers.approvals[path] = SignedApproval.model_validate_json(store.blob(blob))
            except ValidationError:
                papers.broken.append(finding("I6", path, "it is no approval"))
        tails: dict[str, Record | None] = {}
        for path, blob in store.paths(head, "Logs"):
            agent = path.split("/")[1]
            own = trust is None or (AgentId(agent) in trust.keys and trust.keys[AgentId(agent)][0] is Role.LOCAL)
            try:
                for record in _records(store.blob(blob), tails.get(agent)):
                    tails[agent] = record
                    act = act_of(record, path)
                    papers.acts += [act] if act and own else []
            except (BrokenChain, UnicodeDecodeError) as error:
                papers.broken.append(finding("I6", path, str(error)))
        return papers

    def agree(self, tasks: Iterable[Task], key: PublicKey | None) -> Iterator[Finding]:
        """What one of them says and another does not."""
        yield from self.broken
        ended = {task.id: task for task in tasks if task.stage is Stage.DONE and task.note.front.words("result")}
        for task in ended.values():
            yield from self._acted(task, key)
        given = {signed.approval.id: signed.approval for signed in self.approvals.values()}
        for act in self.acts:
            one = given.get(act.approval)
            if one is None or (one.task, one.digest) != (act.task, act.digest):
                yield finding("I6", act.path, f"{act.kind} of task {act.task} names an approval that does not lie here")
            if act.kind == CONFIRMED and act.task not in ended:
                yield finding("I6", act.path, f"the effect of task {act.task} is confirmed, the task is not done")
        decided = {act.approval for act in self.acts if act.kind == DECIDED}
        for path, signed in self.approvals.items():
            if signed.approval.id not in decided:
                yield finding("I6", path, "no audit record says that it was given")

    def _acted(self, task: Task, key: PublicKey | None) -> Iterator[Finding]:
        path = f"task {task.id}"
        asked = request.read(task.note)
        if asked is None:
            return
        good = {one.approval.id for one in self.approvals.values() if self._allows(one, asked.action, task, key)}
        if not good:
            yield finding(
                "I5", path, f"revision {task.revision} was acted on; no valid approval covers what stands in it"
            )
        elif not any(act.kind == CONFIRMED and act.approval in good for act in self.acts):
            yield finding("I6", path, "it is done, and no audit record confirms its effect")

    def _allows(self, signed: SignedApproval, action: Action, task: Task, key: PublicKey | None) -> bool:
        """Whether this approval let this very action through at some time."""
        one = signed.approval
        if key is None:
            return (one.task, one.revision, one.digest) == (task.id, task.revision, action.digest)
        try:
            approval.verify(
                signed, action, key=key, vault=self.vault or one.vault, executor=one.executor,
                task=task.id, revision=task.revision, now=max(moment(one.not_before), moment(one.decided_at)),
            )  # fmt: skip
        except ApprovalRefused:
            return False
        return True


def _records(content: bytes, tail: Record | None) -> Iterator[Record]:
    for line in content.decode("utf-8").removesuffix("\n").split("\n"):
        tail = audit.verify([line], tail)
        assert tail is not None
        yield tail
