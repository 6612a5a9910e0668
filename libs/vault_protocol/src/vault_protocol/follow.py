"""Following the head: every commit in between is looked at, and with pinned keys every one is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from . import changeset, layout, policy, reroot
from .changeset import BadChangeset, Trail
from .checkpoint import Checkpoint, Saved
from .errors import HubRewritten, Refused, UntrustedHead
from .hub import Change, Commit, CommitId, Edits, Store, changed
from .policy import Trust as Trust
from .sshsig import PublicKey
from .task import AgentId, TaskId

STRIDE = 500
"""Commits between two checkpoints, and two words on the progress, while catching up."""

Progress = Callable[[int, int], None]


@dataclass
class View:
    """The vault as of `head`: where each task stands, and how far each agent's changesets go.

    `generation` counts the new roots the owner signed; 0 before any.
    """

    head: CommitId | None = None
    where: MutableMapping[TaskId, str] = field(default_factory=dict)
    trails: MutableMapping[AgentId, Trail] = field(default_factory=dict)
    generation: int = 0

    def take(self, head: CommitId, changes: Iterable[Change], trail: tuple[AgentId, Trail] | None) -> None:
        """Go on to `head`, which makes these changes; `trail` is whose and how far it goes."""
        changes = tuple(changes)
        if trail is not None:
            self.trails[trail[0]] = trail[1]
        places = [(place, change) for change in changes if (place := layout.place_of(change.path)) is not None]
        here = {place.id: change.path for place, change in places if change.new is not None}
        self.where.update(here)
        for place, change in places:
            if place.id not in here and self.where.get(place.id) == change.path:
                del self.where[place.id]
        self.head = head


class Follower:
    """Brings a view forward. With `trust`, a commit that breaks a rule is not applied and the view stays."""

    def __init__(
        self, store: Store, vault: str, trust: Trust | None = None, checkpoint: Checkpoint | Path | None = None,
        progress: Progress = lambda done, total: None, *, owner: PublicKey | None = None,
        behind: int = 0,
    ) -> None:  # fmt: skip
        """`checkpoint` remembers how far it came, every STRIDE commits too; a path is one without a seal.

        `progress` is told how many of the commits to follow are done, every STRIDE of them. `owner` is the pinned key
        whose new roots are followed; without it none is. `behind`: how many commits the checkpoint may be behind, for
        an agent that calls `save` when it comes to rest.
        """
        self._progress, self._owner = progress, owner
        self._behind, self._unsaved = behind, 0
        self._store, self._vault, self._trust = store, vault, trust
        self._checkpoint = Checkpoint(checkpoint) if isinstance(checkpoint, Path) else checkpoint
        self._saved: CommitId | None = None
        self.view = View()
        self._indexed = True
        self._refused: tuple[CommitId | None, CommitId | None, HubRewritten] | None = None
        self._wary = False
        saved = self._checkpoint.load() if self._checkpoint is not None else None
        if saved is not None:
            self.view = View(saved.head, {}, dict(saved.trails), saved.generation)
            self._indexed, self._saved = False, saved.head

    @property
    def where(self) -> Mapping[TaskId, str]:
        """Task id → path at the head, also before the first advance. Raises UntrustedHead when the head is not here."""
        self._take_index()
        return self.view.where

    def advance(self, head: CommitId | None, *, later: bool = False) -> None:
        """Follow the hub to `head`, over a new root that the owner signed too. `later`: the caller will `save` itself.

        Raises UntrustedHead; the view then stands at the last good commit. HubRewritten: `head` is on another line.
        OSError when the checkpoint cannot be written; the view is at `head`, the next call writes again.
        """
        ours = self.view.head
        if head is None or head == ours:
            self._take_index()
            if head is None and ours is not None:
                raise HubRewritten(ours, "the hub is empty, it was not before")
            self.catch_up(later=later)  # there was no room for it
            return
        if self._refused is not None and self._refused[:2] == (ours, head):
            self._take_index()
            known = self._refused[2]
            raise HubRewritten(known.commit, known.reason)
        try:
            self._follow(head)
        except HubRewritten as error:
            self._refused, self._wary = (ours, head, error), True
            raise
        except UntrustedHead:
            self._wary = True
            raise
        finally:
            self.catch_up(later=later)

    def page(self, head: CommitId) -> None:
        """Follow as far as a page led, unless we have been there. Raises as `advance` does."""
        ours = self.view.head
        if ours is None or self._is_past(ours, head) is False:
            self.advance(head, later=True)

    def _is_past(self, ours: CommitId, head: CommitId) -> bool | None:
        """Whether we were at `head` before; None while what we know is not in this clone, as one that was made anew."""
        try:
            self._store.history(ours, head)
            return False
        except HubRewritten:
            pass
        try:
            self._store.history(head, ours)
            return True
        except HubRewritten:
            return False
        except UntrustedHead:
            return None

    def admit(self, commit: Commit, edits: Edits) -> None:
        """Once the hub has shown a head that is not to be trusted, raises UntrustedHead for a commit that no pinned key
        signed: it never lies in the store. Without pinned keys all are let in."""
        if self._trust is None or not self._wary:
            return
        try:
            if reroot.claims(commit):
                tree = reroot.parse(commit.message).statement.tree  # whether it holds that one shows once it is made
                reroot.verify(commit, tree, key=self._owner, vault=self._vault, after=self.view.generation)
            else:
                (parent,) = commit.parents or (None,)
                changes = changed(edits, lambda path: self._store.blob_id(parent, path) if parent else None)
                policy.signed(commit.message, changes, trust=self._trust)
        except (BadChangeset, reroot.BadRoot) as error:
            raise UntrustedHead(commit.id, str(error)) from None

    def _follow(self, head: CommitId) -> None:
        try:
            ahead = self._ahead(head)
        finally:
            if self.view.head is not None and not self._indexed:
                with suppress(UntrustedHead):  # a line that a new root replaces may be gone from this clone
                    self._take_index()
        for number, commit in enumerate(ahead):
            if number and number % STRIDE == 0:
                self.save()
                self._progress(number, len(ahead))
            self._apply(commit)
            self._unsaved += 1

    def _ahead(self, head: CommitId) -> tuple[Commit, ...]:
        """The commits to follow: those after ours, or all of another line that begins with a new root."""
        ours = self.view.head
        if ours is None:
            return self._store.history(None, head)
        try:
            return self._store.history(ours, head)
        except HubRewritten:
            line = self._store.history(None, head)
        if reroot.claims(line[0]):
            return line
        words = f"it does not follow {ours[:12]}: the hub was rolled back or rewritten"
        raise HubRewritten(head, f"{words}; {self._past(ours, line)}")

    def _past(self, ours: CommitId, line: tuple[Commit, ...]) -> str:
        """What became of the commits we know, in words."""
        theirs = {commit.id for commit in line}
        try:
            known = self._store.history(None, ours)
        except UntrustedHead:
            return "what was known here is not in this clone any more"
        lost = sum(commit.id not in theirs for commit in known)
        shared = next((commit.id for commit in reversed(known) if commit.id in theirs), None)
        if shared is None:
            return "it shares no commit with the line known here: another vault, or a line that a new root left"
        if shared == line[-1].id:
            return f"it was put back to an older state, {lost} commits are missing"
        return f"it went another way after {shared[:12]}, {lost} commits known here are not on it"

    def _begin(self, commit: Commit) -> None:
        """Go on from a new root: its tree is where everything stands now, its statement how far everybody is."""
        try:
            statement = reroot.verify(
                commit, self._store.tree(commit.id), key=self._owner, vault=self._vault, after=self.view.generation
            )
        except reroot.BadRoot as error:
            raise HubRewritten(commit.id, str(error)) from None
        self.view = View(commit.id, self._index(commit.id), statement.going_on, statement.generation)
        self._indexed = True
        self._unsaved += STRIDE  # at once, whatever else is put off

    def _apply(self, commit: Commit) -> None:
        if reroot.claims(commit):
            self._begin(commit)
            return
        view = self.view
        changes = self._store.changes(view.head, commit.id)
        trail = self._judge(commit, changes) if self._trust else self._note(commit, changes)
        view.take(commit.id, changes, trail)

    def _note(self, commit: Commit, changes: tuple[Change, ...]) -> tuple[AgentId, Trail] | None:
        try:
            found = changeset.parse(commit.message, vault=self._vault, changes=changes)
        except BadChangeset:
            return None
        return found.agent, found.trail

    def _judge(self, commit: Commit, changes: tuple[Change, ...]) -> tuple[AgentId, Trail]:
        assert self._trust is not None
        view, store = self.view, self._store
        parent = view.head
        try:
            found = policy.judge(
                commit.message, commit.author, changes, trust=self._trust, trails=view.trails,
                before=lambda path: store.read(parent, path) if parent else None,
                after=lambda path: store.read(commit.id, path),
                where=MappingProxyType(view.where),
                names=lambda folder: store.names(parent, folder) if parent else (),
            )  # fmt: skip
        except (BadChangeset, Refused) as error:
            raise UntrustedHead(commit.id, str(error)) from None
        return found.agent, found.trail

    def _take_index(self) -> None:
        if not self._indexed and self.view.head is not None:
            self.view.where = self._index(self.view.head)
            self._indexed = True

    def _index(self, head: CommitId) -> dict[TaskId, str]:
        places = ((layout.place_of(path), path) for path, _ in self._store.paths(head))
        return {place.id: path for place, path in places if place is not None}

    def catch_up(self, *, later: bool = False) -> None:
        """Write the checkpoint where it is further behind than it may be; `later`: than it may be within a stride."""
        if self._unsaved > (STRIDE if later else self._behind):
            self.save()

    def save(self) -> None:
        """Write the checkpoint, if one is kept and it is behind; one that another program of this agent wrote further
        on stays."""
        if self._checkpoint is None or self.view.head is None or self.view.head == self._saved:
            return
        self._store.keep(durable=True)
        if not self._is_passed(self._checkpoint.peek()):
            self._checkpoint.save(Saved(self.view.head, self.view.trails, self.view.generation))
        self._saved, self._unsaved = self.view.head, 0

    def _is_passed(self, there: Saved | None) -> bool:
        """Whether that checkpoint is of a later root, or knows all that we know of every agent and more of one."""
        if there is None or there.head == self._saved or there.generation < self.view.generation:
            return False
        if there.generation > self.view.generation:
            return True
        further = [
            there.trails.get(agent, Trail()).sequence - trail.sequence for agent, trail in self.view.trails.items()
        ]
        return min(further, default=0) >= 0 and (any(further) or len(there.trails) > len(self.view.trails))
