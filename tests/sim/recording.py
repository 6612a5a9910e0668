"""What each agent did to each task, as the agent saw it: the histories that `linear` judges (I12)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tests.sim import linear, reading
from tests.sim.breach import Breach, Died
from tests.sim.reading import Standing
from tests.sim.specification import No, Operation, State
from vault_protocol.errors import ClaimLost, HubUnreachable, StaleRevision, UntrustedHead
from vault_protocol.hub import Change, CommitId, Edits
from vault_protocol.journal import Build, Journal
from vault_protocol.task import Task
from vault_protocol.vault import NOTHING_ELSE, Also, Vault

_WITHDRAW = re.compile(r"Signals/withdraw-[a-z2-7]{16}-([0-9]+)\.json")


@dataclass
class Call:
    """One publish while it is under way: what it would make of which task."""

    verb: str
    agent: str
    begin: int
    fence: int
    shown: Task | None
    knew: int
    """Since when the head that its agent last saw was the head: a refusal may be of that."""
    subject: str
    moved: dict[str, tuple[Standing | None, Standing]] = field(default_factory=dict)
    """Task → how it stood, and how this would have it."""
    signal: int | None = None
    """The revision that a withdrawal in it names."""
    sent: str = ""
    """The message of the changeset that was sent last."""

    def operations(self, end: int | None) -> Iterator[tuple[str, Operation]]:
        """What it did to each task, with the answer that it was done; without an end, nobody heard."""
        for task, (old, new) in self.moved.items():
            yield task, self.operation(end, None if end is None else state(new), old, new)

    def operation(
        self, end: int | None, answer: State | No | None, old: Standing | None = None, new: Standing | None = None
    ) -> Operation:
        verb = self.verb
        if old is None and new is not None and new.stage == "Quarantine":
            verb = "drop"
        if verb == "send_back" and self.signal is not None:
            verb = "withdraw"
        shown = (self.shown.stage.value, self.shown.revision) if self.shown else None
        if shown is not None and self.signal is not None:
            shown = (shown[0], self.signal)
        held = self.shown is not None and self.shown.lease is not None
        return Operation(
            verb=verb, agent=self.agent, begin=self.begin, end=end, answer=answer,
            fence=self.fence if verb != "reap" else 0,
            shown=None if held else shown,
            lease=new.lease if new else "",
            seen=_seen(self.shown) if verb == "reap" else None,
            edited=bool(verb == "approve" and new and old and new.revision > old.revision),
        )  # fmt: skip


@dataclass
class Recording:
    """Task → its operations. Time is a counter of what begins and ends."""

    now: int = 0
    tasks: defaultdict[str, list[Operation]] = field(default_factory=lambda: defaultdict(list))
    heads: dict[CommitId, int] = field(default_factory=dict)
    """When each commit became the head."""
    _made_by: dict[tuple[str, str], int] = field(default_factory=dict)
    """Message and task → where the operation stands in the history of the task."""

    @property
    def operations(self) -> int:
        """How many there are by now, of all tasks."""
        return sum(map(len, self.tasks.values()))

    def tick(self) -> int:
        self.now += 1
        return self.now

    def became_head(self, commit: CommitId) -> None:
        self.heads[commit] = self.tick()

    def knew(self, journal: Journal) -> int:
        """Since when the head that this agent last saw was the head; 0 when that is not known."""
        return self.heads.get(journal.head, 0) if journal.head else 0

    @contextmanager
    def call(self, journal: Journal, verb: str, subject: str, attempt: int, shown: Task | None) -> Iterator[Call]:
        """Around one publish: whatever ends it, it is written down."""
        begin = self.tick()
        call = Call(verb, journal.identity.agent, begin, attempt, shown, self.knew(journal), subject)
        try:
            yield call
        except ClaimLost as lost:
            self._refused(call, No(owner=lost.owner or ""))
            raise
        except StaleRevision as stale:
            self._refused(call, No(revision=stale.current))
            raise
        except (HubUnreachable, UntrustedHead, Died):
            if call.sent:
                self._made(call, None)
            raise
        if call.moved:
            self._made(call, self.tick())
        elif verb == "add":
            self._refused(call, No())

    def judge(self, standing: Mapping[str, Standing]) -> None:
        """Every history, closed by what the hub shows at the end. Raises Breach."""
        for task, operations in self.tasks.items():
            at = standing.get(task)
            end = state(at) if at else State()
            last = Operation(verb="read", agent="hub", begin=self.tick(), end=self.tick(), answer=end)
            try:
                linear.order([*operations, last])
            except linear.NotLinearizable as error:
                raise Breach("I12", f"the history of {task} is not linearizable: {error}") from None

    def _made(self, call: Call, end: int | None) -> None:
        """One changeset is one operation, whoever is told of it, and however late: an agent that forgot what it
        sent, or its second process, signs the very same again."""
        for task, operation in call.operations(end):
            history = self.tasks[task]
            again = self._made_by.get((call.sent, task)) if call.sent else None
            if again is None:
                history.append(operation)
                self._made_by[call.sent, task] = len(history) - 1
            elif history[again].end is None:
                history[again] = replace(operation, begin=history[again].begin)

    def _refused(self, call: Call, answer: No) -> None:
        """It may have been refused for how the task stood at any time since its agent last looked."""
        call = replace(call, begin=min(call.begin, call.knew or call.begin))
        self.tasks[call.subject].append(call.operation(self.tick(), answer))

    def sees(self, call: Call, edits: Edits, read: Callable[[str], bytes | None]) -> None:
        """What this call would publish; the last that it built is what it sent."""
        call.moved, call.signal = {}, None
        left: dict[str, Standing] = {}
        for path, content in edits.items():
            signal, at, was = _WITHDRAW.fullmatch(path), reading.place(path), read(path)
            if signal and content is None:
                call.signal = int(signal[1])
            if at is not None and was is not None:
                left[at[0]] = reading.standing(path, was)
        for path, content in edits.items():
            at = reading.place(path)
            if at is not None and content is not None and content != read(path):
                call.moved[at[0]] = (left.get(at[0]), reading.standing(path, content))


class RecordedJournal(Journal):
    """Writes down what its owner asked for and was told."""

    recording: Recording
    shown: Task | None = None
    """The task that the verb under way is about, as its caller had it."""
    call: Call | None = None
    """What is being published."""

    def publish(self, verb: str, subject: str, build: Build, *, attempt: int = 0, exact: bool = False) -> CommitId:
        with self.recording.call(self, verb, subject, attempt, self.shown) as call:
            self.call = call

            def seen(head: CommitId | None) -> Edits:
                edits = build(head)
                self.recording.sees(call, edits, self.read)
                return edits

            return super().publish(verb, subject, seen, attempt=attempt, exact=exact)

    def _commit(self, verb: str, subject: str, changes: Sequence[Change], edits: Edits, attempt: int) -> CommitId:
        """What was signed last is what is sent."""
        made = super()._commit(verb, subject, changes, edits, attempt)
        if self.call is not None:
            (signed,) = self.store.history(self.head, made)
            self.call.sent = signed.message
        return made


class RecordedVault(Vault):
    """Says which task a verb is about, as its caller was shown it."""

    journal: RecordedJournal

    def _move(
        self, verb: str, task: Task, move: Callable[[Task], Task], also: Also = NOTHING_ELSE, *, exact: bool = False
    ) -> Task:
        self.journal.shown = task
        try:
            return super()._move(verb, task, move, also, exact=exact)
        finally:
            self.journal.shown = None


def state(at: Standing) -> State:
    held = at.stage == "In_Progress"
    return State(at.stage, at.owner if held else "", at.attempt, at.revision, at.lease if held else "")


def _seen(task: Task | None) -> State | None:
    if task is None or task.lease is None:
        return None
    lease = task.lease
    return State(task.stage.value, lease.owner, task.attempt, task.revision, lease.until.strftime("%Y-%m-%dT%H:%M:%SZ"))
