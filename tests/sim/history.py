"""The judge of the hub: looks at each commit once, by its difference, and knows every task's whole past."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.sim import reading
from tests.sim.breach import Breach, hold
from tests.sim.cast import CANARY, LEASE
from tests.sim.reading import Standing
from vault_protocol.errors import UntrustedHead
from vault_protocol.hub import Change, Commit, CommitId
from vault_protocol.testing import MemoryStore

_WITHDRAW = re.compile(r"Signals/withdraw-([a-z2-7]{16})-([0-9]+)\.json")
SUBMISSIONS = {("In_Progress", "Pending_Approval"), ("Pending_Approval", "Pending_Approval")}


@dataclass
class Chain:
    """How far an agent's audit log goes."""

    sequence: int = 0
    last: str = "0" * 64


@dataclass
class History:
    """I1, I2, I3, I6, I8, I9, I12 over the commits of the hub. `elapsed` are true seconds."""

    store: MemoryStore
    elapsed: Callable[[], float]
    signed: Callable[[str], bool]
    """Whether the owner signed the approval with this id."""
    outcome: Callable[[str], str | None]
    """The state the ledger has for an approval id."""
    dashboard: Callable[[CommitId], str]
    """What Dashboard.md has to be on this commit, made by somebody else at another time."""
    became_head: Callable[[CommitId], None] = lambda commit: None

    head: CommitId | None = None
    line: set[str] = field(default_factory=set)
    """The messages of all commits: each carries a signature, whatever head it was put on."""
    tasks: dict[str, Standing] = field(default_factory=dict)
    approvals: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Approval id → its fields, as published."""
    receipts: dict[str, str] = field(default_factory=dict)
    """Approval id → task, of each published `effect.confirmed`."""
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each move was seen."""
    verbs: Counter[str] = field(default_factory=Counter)
    """How often each verb was published."""
    _bodies: dict[tuple[str, int], str] = field(default_factory=dict)
    _leases: dict[str, tuple[str, float]] = field(default_factory=dict)
    _chains: dict[str, Chain] = field(default_factory=dict)
    _sequences: dict[str, int] = field(default_factory=dict)

    def follow(self, head: CommitId | None) -> None:
        """Judge every commit up to `head`. Raises Breach."""
        if head is None or head == self.head:
            return
        try:
            ahead = self.store.history(self.head, head)
        except UntrustedHead:
            raise Breach("I1", f"what everybody saw of the hub is gone: {head[:12]} does not follow") from None
        for commit in ahead:
            hold(commit.parents == ((self.head,) if self.head else ()), "I1", f"{commit.id} does not follow in a line")
            self._judge(commit)
            self.head = commit.id
            self.line.add(commit.message)
            self.became_head(commit.id)

    def believed(self, who: str, commit: CommitId) -> None:
        """Somebody takes this for published."""
        message = self.store._commits[commit].message
        hold(message in self.line, "I12", f"{who} believes it published {commit[:12]}, the hub never had it")

    def _judge(self, commit: Commit) -> None:
        changes = self.store.changes(self.head, commit.id)
        said = reading.trailers(commit.message)
        self.verbs[commit.message.partition(":")[0]] += 1
        agent = said.get("Agent", "")
        hold(agent == commit.author, "I3", f"{commit.author} published in the name of {agent!r}")
        number = int(said["Sequence"])
        hold(number == self._sequences.get(agent, 0) + 1, "I12", f"changeset {number} of {agent} leaves a gap")
        self._sequences[agent] = number
        records = [record for change in changes for record in self._log(change, agent)]
        moved: dict[str, list[Change]] = {}
        for change in changes:
            self._no_secret(change)
            at = reading.place(change.path)
            if at is not None:
                moved.setdefault(at[0], []).append(change)
            elif change.path.startswith("Approvals/"):
                self._approval(change, agent)
            elif change.path == "Dashboard.md":
                self._dashboard(change, agent, commit)
        self._withdrawals(changes, moved)
        for task, its in moved.items():
            self._move(task, its, agent, int(said["Attempt"]), records)

    def _move(self, task: str, changes: list[Change], agent: str, attempt: int, records: list[dict[str, Any]]) -> None:
        old = self.tasks.get(task)
        stands = ({old.path} if old else set()) | {change.path for change in changes if change.new}
        stands -= {change.path for change in changes if change.new is None}
        hold(len(stands) == 1, "I1", f"task {task} stands in {sorted(stands)}")
        path = stands.pop()
        blob = next((change.new for change in changes if change.path == path), None)
        if blob is None:
            return
        new = reading.standing(path, self.store.blob(blob))
        self._legal(old, new, agent)
        if new.stage != "Quarantine" and (old is None or old.stage != "Quarantine"):
            self._numbers(old, new, agent, attempt)
            self._words(old, new, records)
        self._lease(old, new, agent)
        self.tasks[task] = new

    def _withdrawals(self, changes: tuple[Change, ...], moved: Mapping[str, object]) -> None:
        """A signal takes back the revision it names, or is only cleared."""
        for change in changes:
            named = _WITHDRAW.fullmatch(change.path)
            if named and change.new is None and named[1] in moved:
                shown = self.tasks[named[1]].revision
                hold(shown == int(named[2]), "I12", f"r{shown} of {named[1]} was withdrawn, r{named[2]} was asked for")

    def _legal(self, old: Standing | None, new: Standing, agent: str) -> None:
        source, role = old.stage if old else "(new)", "local" if agent == "local" else "cloud"
        self.moved[source, new.stage] += 1
        move = f"{agent} moved {new.id} from {source} to {new.stage}"
        hold(source == new.stage or new.stage in reading.moves()[source], "I3", move)
        whose = reading.rights().get((role, source, new.stage), "—")
        if new.stage == "In_Progress":
            hold(new.folder == new.owner == agent, "I2", f"{move}, into the hands of {new.folder}/{new.owner}")
        if whose == "its own":
            hold(agent == (old.folder if old and source == "In_Progress" else new.folder), "I3", f"{move}, not its own")
        else:
            hold(whose != "—", "I3", f"{move}: it may not")

    def _numbers(self, old: Standing | None, new: Standing, agent: str, attempt: int) -> None:
        was = old.stage if old else "(new)"
        raised = new.attempt - (old.attempt if old else 0)
        claims = was == "Needs_Action" and new.stage == "In_Progress"
        hold(raised == claims, "I2", f"attempt {new.attempt} of {new.id} from {was} to {new.stage}, up by {raised}")
        if old and was == "In_Progress" and agent == old.folder:
            hold(attempt == old.attempt, "I2", f"{agent} wrote to {new.id} under attempt {attempt}, not {old.attempt}")
        later = new.revision - (old.revision if old else 0)
        steps = (1,) if (was, new.stage) in SUBMISSIONS else (0, 1) if new.stage == "Approved" else (0,)
        hold(later in steps, "I12", f"revision {new.revision} of {new.id} from {was} to {new.stage}, up by {later}")

    def _words(self, old: Standing | None, new: Standing, records: list[dict[str, Any]]) -> None:
        if new.stage in ("Pending_Approval", "Approved"):
            first = self._bodies.setdefault((new.id, new.revision), new.body)
            hold(first == new.body, "I5", f"the text of {new.id} r{new.revision} changed after it was submitted")
        if new.stage == "Approved":
            given = [a for a in self.approvals.values() if (a["task"], a["revision"]) == (new.id, new.revision)]
            hold(given, "I5", f"{new.id} r{new.revision} went to Approved without an approval of this revision")
            digest = reading.digest_of_note(new.body)
            hold(
                any(a["digest"] == digest for a in given), "I5", f"{new.id} r{new.revision}: another text was approved"
            )
        if old and old.stage == "Approved" and new.stage == "Done":
            named = [r["parameters"].get("approval") for r in records if r["action_type"] == "effect.confirmed"]
            hold(named and self.receipts.get(named[0]) == new.id, "I6", f"{new.id} is done without a receipt")

    def _lease(self, old: Standing | None, new: Standing, agent: str) -> None:
        """A lease is reaped only by who could have seen it unchanged for its whole length, in true seconds."""
        if old and old.stage == "In_Progress" and new.stage != "In_Progress" and agent != old.folder:
            _, since = self._leases[new.id]
            held = self.elapsed() - since
            hold(held >= LEASE.total_seconds(), "I2", f"{agent} reaped {new.id} of {old.folder} after {held:.0f} s")
        if new.stage == "In_Progress":
            mark = f"{new.owner}/{new.attempt}/{new.lease}"
            if self._leases.get(new.id, ("", 0))[0] != mark:
                self._leases[new.id] = (mark, self.elapsed())

    def _log(self, change: Change, agent: str) -> list[dict[str, Any]]:
        if not change.path.startswith("Logs/"):
            return []
        hold(change.new is not None, "I6", f"{change.path} was taken out")
        hold(change.path.startswith(f"Logs/{agent}/"), "I3", f"{agent} wrote {change.path}")
        assert change.new is not None
        old = self.store.blob(change.old) if change.old else b""
        new = self.store.blob(change.new)
        hold(new.startswith(old), "I6", f"{change.path} was rewritten")
        chain, found = self._chains.setdefault(agent, Chain()), []
        for line in new[len(old) :].decode().splitlines():
            try:
                record, chain.last = reading.audit_line(line, chain.sequence, chain.last)
            except ValueError as error:
                raise Breach("I6", f"the audit chain of {agent} is broken: {error}") from None
            chain.sequence += 1
            if record["action_type"] == "effect.confirmed":
                self._receipt(record)
            found.append(record)
        return found

    def _receipt(self, record: dict[str, Any]) -> None:
        approval = str(record["parameters"]["approval"])
        hold(approval not in self.receipts, "I6", f"two receipts for the approval {approval[:12]}")
        state = self.outcome(approval)
        hold(state == "confirmed", "I6", f"a receipt for {record['target']}, the ledger says {state}")
        self.receipts[approval] = record["target"]

    def _approval(self, change: Change, agent: str) -> None:
        hold(agent == "local" and change.old is None and change.new, "I3", f"{agent} changed {change.path}")
        assert change.new is not None
        fields = json.loads(self.store.blob(change.new))["approval"]
        id_ = reading.approval_id(fields)
        hold(self.signed(id_), "I5", f"{change.path} was never signed by the owner")
        self.approvals[id_] = fields

    def _dashboard(self, change: Change, agent: str, commit: Commit) -> None:
        hold(agent == "local" and change.new, "I8", f"{agent} wrote the dashboard")
        assert change.new is not None
        wanted = self.dashboard(commit.id)
        hold(self.store.blob(change.new).decode() == wanted, "I8", "the dashboard is not what the tree and Updates say")

    def _no_secret(self, change: Change) -> None:
        if change.new is not None:
            hold(CANARY.encode() not in self.store.blob(change.new), "I9", f"{change.path} holds a secret of Local")
