"""The arbiter: one thread that takes publishes in order, judges each, writes a group of them at once, and answers.

A group is single-author commits in a line: one pack, one swap of the head, and only then the answers.
"""

from __future__ import annotations

import queue
import threading
from collections import ChainMap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import structlog

from vault_hub import beginning, bounds
from vault_hub.beginning import Begin
from vault_hub.line import Line
from vault_hub.objects import Objects
from vault_hub.reading import Said, said
from vault_hub.rules import Rules
from vault_protocol import policy, reroot, wire
from vault_protocol.changeset import BadChangeset, Changeset, Trail
from vault_protocol.clock import Clock
from vault_protocol.errors import Refused, UntrustedHead
from vault_protocol.follow import Follower, View
from vault_protocol.hub import (
    REGULAR,
    Accepted,
    BlobId,
    Broken,
    Change,
    CommitId,
    Edits,
    MovedOn,
    Published,
    Rejected,
    blob_id,
)
from vault_protocol.policy import Trust
from vault_protocol.task import AGENT_ID, AgentId, TaskId
from vault_protocol.wire import Parcel

log = structlog.get_logger()

GROUP = 64
"""Publishes that go in together at most."""

SAVED_EVERY = 512
"""Commits between two checkpoints; a start after a kill judges at most so many again."""

ENDING = Broken("the hub is ending; look again when it is back")

Answer: TypeAlias = Callable[[Published], None]


@dataclass(frozen=True)
class Publish:
    """What an agent, whose credential was checked, asks for: a line of commits onto a head, in one swap."""

    agent: AgentId
    line: Sequence[Parcel]
    onto: CommitId | None
    exact: bool
    answer: Answer = field(compare=False)


_Grown: TypeAlias = tuple[Parcel, Changeset, tuple[Change, ...]]


@dataclass
class _Stage:
    """The vault as it will be when the group is written."""

    head: CommitId | None
    where: ChainMap[TaskId, str]
    trails: ChainMap[AgentId, Trail]
    grown: list[_Grown] = field(default_factory=list)

    def above(self) -> _Stage:
        """A stage on top of this one, which stays as it is until `absorb`."""
        return _Stage(self.head, self.where.new_child(), self.trails.new_child())

    def absorb(self, above: _Stage) -> None:
        self.head = above.head
        self.where.update(above.where.maps[0])
        self.trails.update(above.trails.maps[0])
        self.grown += above.grown


class Arbiter(threading.Thread):
    """Owns the repository. `submit` from any thread; `stop` answers what waits and ends."""

    def __init__(
        self, objects: Objects, follower: Follower, line: Line, rules: Rules, *, clock: Clock,
        trust: Callable[[], Trust], told: Callable[[Sequence[Said]], None] = lambda commits: None,
        anew: Callable[[], None] = lambda: None, landed: Callable[[Edits], None] = lambda edits: None,
        step: Callable[[str], None] = lambda name: None, on_bug: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`follower` stands at the head. `trust` gives the keys of now; `told` hears each group after its swap,
        `anew` that the line began anew, `landed` what each commit of a group changes."""
        super().__init__(name="arbiter", daemon=True)
        self._objects, self._follower, self._line, self._rules = objects, follower, line, rules
        self._clock, self._trust, self._told, self._anew, self._landed = clock, trust, told, anew, landed
        self._step, self._on_bug = step, on_bug
        self._waiting: queue.SimpleQueue[Publish | Begin | None] = queue.SimpleQueue()
        self._unsaved = 0
        self._gate, self._ended = threading.Lock(), False
        self._unanswered: list[Publish | Begin] = []
        self.bug: BaseException | None = None

    def submit(self, publish: Publish | Begin) -> None:
        with self._gate:
            if not self._ended:
                self._waiting.put(publish)
                return
        publish.answer(ENDING)

    @property
    def length(self) -> int:
        """Publishes that wait."""
        return self._waiting.qsize()

    def stop(self) -> None:
        self._waiting.put(None)
        self.join()

    def run(self) -> None:
        try:
            while self._group():
                if self._objects.must_merge or (self._objects.wants_merge and self._waiting.empty()):
                    self._merge()
        except BaseException as error:  # noqa: BLE001 - carried to the main thread, which ends with it
            self.bug = error
        finally:
            self._end()
        if self.bug is not None:
            self._on_bug()

    def _end(self) -> None:
        """Whoever still waits hears that nobody will say what became of it."""
        with self._gate:
            self._ended = True
        while not self._waiting.empty():
            if (one := self._waiting.get()) is not None:
                self._unanswered.append(one)
        for asked in self._unanswered:
            asked.answer(ENDING)
        self._save()

    def _save(self) -> None:
        try:
            self._follower.save()
        except OSError as error:  # it only spares the next start some work
            log.error("disk.failed", error=error.strerror, wrote="checkpoint")

    def _group(self) -> bool:
        """Take what waits, once. False when it is over."""
        group: list[Publish] = []
        one = self._waiting.get()
        while isinstance(one, Publish):
            group.append(one)
            if len(group) >= GROUP or self._waiting.empty():
                break
            one = self._waiting.get()
        if group:
            self.settle(group)
        if isinstance(one, Begin):
            self._begin(one)
        return one is not None

    def _begin(self, begin: Begin) -> None:
        """Put a new root in the place of the head, and go on from it as every follower does."""
        self._unanswered = [begin]
        begin.answer(self._begun(begin))
        self._unanswered = []

    def _begun(self, begin: Begin) -> Published:
        view, objects = self._view, self._objects
        if begin.root.id == view.head:
            return Accepted(begin.root.id, begin.root.id)
        if begin.seen != view.head:
            return MovedOn(view.head)
        try:
            bounds.judge(begin.root)
            root = beginning.made(
                begin, objects, trust=self._trust(), owner_key=self._rules.owner_key, vault=self._rules.vault,
                generation=view.generation,
            )  # fmt: skip
            stated = reroot.parse(begin.root.message).statement
            self._rules.judge_words(f"{stated.reason}\n{stated.by}")
        except (Refused, BadChangeset, UntrustedHead, reroot.BadRoot) as error:
            objects.drop()
            rule = "objects" if isinstance(error, UntrustedHead) else error.rule
            log.warning("root.refused", agent=begin.agent, rule=rule)
            return Rejected(rule, error.path if isinstance(error, Refused) else "", error.reason)
        except Exception:  # as for a publish: whoever found it must not stop the others by it
            objects.drop()
            log.exception("root.bug", agent=begin.agent)
            return _cannot_judge()
        trouble = self._to_disk(root)
        if trouble is not None:
            return trouble
        self._follower.advance(root)
        objects.forget()
        self._line.restart(root)
        self._anew()
        log.warning("root.begun", agent=begin.agent, generation=self._view.generation)
        return Accepted(root, root)

    def settle(self, group: Sequence[Publish]) -> None:
        """Judge these in order, write what may go in, swap, and answer them all."""
        view, self._unanswered = self._view, list(group)
        stage = _Stage(view.head, ChainMap({}, view.where), ChainMap({}, view.trails))
        answers: list[tuple[Publish, Callable[[], Published]]] = []
        for publish in group:
            marks = self._objects.marks()
            try:
                answer = self._decide(publish, stage)
            except (Refused, BadChangeset, UntrustedHead) as error:
                self._objects.drop_after(marks)
                answer = self._no(publish, stage, error)
            except Exception:
                # Nothing was written, and whoever found this must not be able to stop the others by it.
                self._objects.drop_after(marks)
                log.exception("publish.bug", agent=publish.agent)
                answer = _cannot_judge
            answers.append((publish, answer))
        self._step("judged")
        trouble = self._write(stage) if stage.grown else None
        for publish, answer in answers:
            publish.answer(trouble if trouble is not None else answer())
        self._unanswered = []
        self._step("answered")

    @property
    def _view(self) -> View:
        return self._follower.view

    def _decide(self, publish: Publish, stage: _Stage) -> Callable[[], Published]:
        """Put the publish on the stage, if it may; its answer. Raises what the policy says."""
        known = self._known(publish, stage)
        if known is not None:
            return lambda: Accepted(self._line.head or known, known)
        if not publish.line:
            raise Refused("form", "", "there is no commit in it")
        fits = publish.onto == stage.head
        if not fits and (publish.exact or len(publish.line) > 1 or not self._may_go_on_top(publish)):
            return lambda: MovedOn(self._line.head)
        new = stage.above()
        for number, parcel in enumerate(publish.line):
            if parcel.parent != (publish.line[number - 1].id if number else publish.onto):
                raise Refused("form", "", f"commit {parcel.id[:12]} does not follow the one before it")
            self._take(publish.agent, parcel, new, same=fits)
        stage.absorb(new)
        landed = new.head
        assert landed is not None
        return lambda: Accepted(self._line.head or landed, landed)

    def _take(self, agent: AgentId, parcel: Parcel, stage: _Stage, *, same: bool) -> None:
        """Put one commit on the stage. `same`: it must be the very commit that was sent."""
        bounds.judge(parcel)
        if not AGENT_ID.fullmatch(parcel.author):
            raise BadChangeset(f"its author is {parcel.author!r}", "author")
        objects, parent = self._objects, stage.head
        changes = self._changes(parcel, parent)
        if not changes and parent is not None:
            raise Refused("form", "", "it changes nothing")

        def before(path: str) -> bytes | None:
            return objects.read(parent, path)

        found = policy.judge(
            parcel.message, parcel.author, changes, trust=self._trust(), trails=stage.trails,
            before=before, after=parcel.edits.get, where=stage.where,
            names=lambda folder: objects.folders.names(objects.tree_of(parent), folder),
        )  # fmt: skip
        if found.agent != agent:
            raise BadChangeset(f"{agent} published it, {found.agent} signed it", "author")
        self._rules.judge_words(parcel.message.partition("\n")[0])
        self._rules.judge(found, changes, before=before, after=parcel.edits.get, now=self._clock.now())
        edits = {change.path: parcel.edits[change.path] for change in changes}
        made = objects.commit(parent, edits, message=parcel.message, author=found.agent, at=parcel.at)
        if same and made != parcel.id:
            raise Refused("form", "", f"commit {parcel.id[:12]} is not what its parts make")
        landed = Parcel(made, parent, parcel.author, parcel.at, parcel.message, edits)
        View(stage.head, stage.where, stage.trails).take(made, changes, (found.agent, found.trail))
        stage.head = made
        stage.grown.append((landed, found, changes))

    def _changes(self, parcel: Parcel, parent: CommitId | None) -> tuple[Change, ...]:
        found = []
        for path, content in parcel.edits.items():
            old: BlobId | None = self._objects.blob_at(parent, path)
            new = blob_id(content) if content is not None else None
            mode = parcel.modes.get(path, REGULAR)
            if old != new or mode != REGULAR:
                found.append(Change(path, old, new, mode))
        return tuple(sorted(found, key=lambda change: change.path))

    def _may_go_on_top(self, publish: Publish) -> bool:
        """Whether the head it was made on is one of ours; the signature then says if its paths are as they were."""
        return publish.onto is not None and self._objects.has(publish.onto)

    def _known(self, publish: Publish, stage: _Stage) -> CommitId | None:
        """What the last commit of the publish is called on the line, when it is there: its answer was lost."""
        if not publish.line:
            return None
        last = publish.line[-1]
        if last.author != publish.agent:
            return None
        for parcel, _, _ in stage.grown:
            if parcel.message == last.message and parcel.edits == last.edits:
                return parcel.id
        there = self._line.saying(last.message)
        if there is None or wire.unpacked(wire.loaded(there.json)).edits != last.edits:
            return None
        return there.id

    def _no(
        self, publish: Publish, stage: _Stage, error: Refused | BadChangeset | UntrustedHead
    ) -> Callable[[], Published]:
        """A refusal; of what was made on another head only that the head has moved on."""
        if publish.onto != stage.head:
            return lambda: MovedOn(self._line.head)
        match error:
            case Refused():
                rejected = Rejected(error.rule, error.path, error.reason)
            case BadChangeset():
                rejected = Rejected(error.rule, "", error.reason)
            case _:
                rejected = Rejected("objects", "", error.reason)
        log.warning("publish.refused", agent=publish.agent, rule=rejected.rule, path=rejected.path[:200])
        return lambda: rejected

    def _write(self, stage: _Stage) -> Broken | None:
        """The group on disk, then its last commit as the head. Broken when the disk would not: nothing happened."""
        assert stage.head is not None
        trouble = self._to_disk(stage.head)
        if trouble is not None:
            return trouble
        for parcel, found, changes in stage.grown:
            self._view.take(parcel.id, changes, (found.agent, found.trail))
        grown = [said(parcel) for parcel, _, _ in stage.grown]
        self._line.grow(grown)
        for parcel, _, _ in stage.grown:
            self._landed(parcel.edits)
        self._told(grown)
        self._unsaved += len(grown)
        if self._unsaved >= SAVED_EVERY:
            self._save()
            self._unsaved = 0
        return None

    def _to_disk(self, head: CommitId) -> Broken | None:
        """The fresh objects, then the head. Broken when the disk would not: nothing happened."""
        try:
            self._objects.write(head)
        except OSError as error:
            self._objects.drop()
            log.error("disk.failed", error=error.strerror, wrote="objects")
            return Broken(f"the hub cannot write: {error.strerror}; nothing was taken")
        try:
            self._objects.swap(head, self._view.head)
        except OSError as error:
            if self._objects.head() == self._view.head:
                log.error("disk.failed", error=error.strerror, wrote="head")
                return Broken(f"the hub cannot write: {error.strerror}; nothing was taken")
            raise  # on disk or not: only a start from the disk can tell
        return None

    def _merge(self) -> None:
        try:
            self._objects.merge_small()
        except OSError as error:
            log.error("disk.failed", error=error.strerror, wrote="pack")


def _cannot_judge() -> Published:
    return Rejected("internal", "", "the hub cannot judge it; its log says why")
