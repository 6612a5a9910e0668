"""Every commit from the root on, held against the one before: I1, I2, I3, I8."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vault_protocol import changeset, layout, notes, reroot
from vault_protocol.changeset import BadChangeset, Changeset
from vault_protocol.doctor.finding import Finding, finding
from vault_protocol.errors import MalformedNote, UntrustedHead
from vault_protocol.follow import Follower, Trust, View
from vault_protocol.hub import Change, Commit, CommitId, Store
from vault_protocol.layout import Place
from vault_protocol.moves import MOVES
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import Role, Stage, TaskId

_LEGAL = {(source, target) for source, targets in MOVES.items() for target in targets} | {(s, s) for s in Stage}


@dataclass
class Past:
    """A walk over the history of a vault."""

    store: Store
    trust: Trust | None
    owner: PublicKey | None = None
    places: dict[TaskId, dict[str, Place]] = field(default_factory=dict)
    attempts: dict[TaskId, int] = field(default_factory=dict)

    def walk(self, head: CommitId) -> Iterator[Finding]:
        follower = Follower(self.store, self.trust.vault, self.trust, owner=self.owner) if self.trust else None
        before: CommitId | None = None
        try:
            for commit in self.store.history(None, head):
                if reroot.claims(commit):
                    yield from self._new_root(commit, follower)
                    before = commit.id
                    continue
                changes = self.store.changes(before, commit.id)
                found = [*self._tasks(commit, changes), *self._dashboard(commit, changes)]
                if follower is not None:
                    found = found or _judged(commit, follower)
                    follower.view = self._view(commit, changes, follower.view)
                yield from found
                before = commit.id
        except UntrustedHead as error:
            yield finding("I3", error.commit, error.reason)

    def _new_root(self, commit: Commit, follower: Follower | None) -> Iterator[Finding]:
        """Its tree is where the tasks stand from now on: the owner's word, not a move, brought them there."""
        for path, _ in self.store.paths(commit.id):
            place = layout.place_of(path)
            if place is not None:
                self.places.setdefault(place.id, {})[path] = place
        for task, here in self.places.items():
            if len(here) != 1:
                yield finding("I1", max(here), f"task {task} stands in {len(here)} places after root {commit.id[:12]}")
        if follower is not None:
            yield from _judged(commit, follower)
            if follower.view.head != commit.id:
                follower.view = self._view(commit, (), follower.view)

    def _tasks(self, commit: Commit, changes: Sequence[Change]) -> Iterator[Finding]:
        touched: dict[TaskId, dict[str, Place]] = {}
        for change in changes:
            place = layout.place_of(change.path)
            if place is None:
                continue
            touched.setdefault(place.id, dict(self.places.get(place.id, {})))
            here = self.places.setdefault(place.id, {})
            here.pop(change.path, None)
            if change.new is not None:
                here[change.path] = place
        for task, before in touched.items():
            after = self.places[task]
            if len(after) != 1:
                what = f"task {task} stands in {len(after)} places after commit {commit.id[:12]}"
                yield finding("I1", max(after or before), what)
                continue
            ((path, to),) = after.items()
            came = next(iter(before.values()), None)
            if self.trust is None and (came.stage if came else None, to.stage) not in _LEGAL:
                source = came.stage.value if came else "outside"
                yield finding("I3", path, f"no move leads here from {source}, commit {commit.id[:12]} made it")
            yield from self._attempt(commit, path, to, came)

    def _attempt(self, commit: Commit, path: str, to: Place, came: Place | None) -> Iterator[Finding]:
        try:
            attempt = notes.read(path, self.store.read(commit.id, path) or b"").attempt
        except MalformedNote:
            return
        last = self.attempts.get(to.id, 0)
        claimed = to.owner is not None and (came is None or came.owner != to.owner)
        if attempt < last + claimed:
            yield finding("I2", path, f"attempt {attempt} after attempt {last}, in commit {commit.id[:12]}")
        self.attempts[to.id] = max(last, attempt)

    def _dashboard(self, commit: Commit, changes: Sequence[Change]) -> Iterator[Finding]:
        if self.trust is None or not any(change.path == layout.DASHBOARD for change in changes):
            return
        signed = self._signed(commit, changes)
        if signed is None or self.trust.keys[signed.agent][0] is not Role.LOCAL:
            yield finding("I8", layout.DASHBOARD, f"commit {commit.id[:12]} by {commit.author} wrote it")

    def _view(self, commit: Commit, changes: Sequence[Change], view: View) -> View:
        """The view after this commit, right or wrong: the next one is judged by itself."""
        signed = self._signed(commit, changes)
        trails = {**view.trails, signed.agent: signed.trail} if signed else view.trails
        where = {task: max(here) for task, here in self.places.items() if here}
        return View(commit.id, where, trails, view.generation)

    def _signed(self, commit: Commit, changes: Sequence[Change]) -> Changeset | None:
        assert self.trust is not None
        try:
            found = changeset.parse(commit.message, vault=self.trust.vault, changes=changes)
            found.verify(self.trust.keys[found.agent][1])
        except (BadChangeset, KeyError):
            return None
        return found


def _judged(commit: Commit, follower: Follower) -> list[Finding]:
    try:
        follower.advance(commit.id)
    except UntrustedHead as error:
        return [finding("I3", commit.id, error.reason)]
    return []
