"""Following the head: every commit in between is looked at, and with pinned keys every one is judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from . import changeset, layout, policy
from .changeset import BadChangeset, Trail
from .errors import Refused, UntrustedHead
from .files import write_private
from .hub import Change, Commit, CommitId, Store
from .policy import Trust as Trust
from .task import AgentId, TaskId

STRIDE = 500
"""Commits between two checkpoints, and two words on the progress, while catching up."""

Progress = Callable[[int, int], None]


@dataclass
class View:
    """The vault as of `head`: where each task stands, and how far each agent's changesets go."""

    head: CommitId | None = None
    where: MutableMapping[TaskId, str] = field(default_factory=dict)
    trails: MutableMapping[AgentId, Trail] = field(default_factory=dict)

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
        self, store: Store, vault: str, trust: Trust | None = None, checkpoint: Path | None = None,
        progress: Progress = lambda done, total: None,
    ) -> None:  # fmt: skip
        """`checkpoint`: a private file that remembers head and trails over a restart, every STRIDE commits too.

        `progress` is told how many of the commits to follow are done, every STRIDE of them.
        """
        self._progress = progress
        self._store, self._vault, self._trust, self._checkpoint = store, vault, trust, checkpoint
        self.view = View()
        self._indexed, self._saved = True, True
        if checkpoint is not None and checkpoint.exists():
            self._load(checkpoint)

    def advance(self, head: CommitId | None) -> None:
        """Follow the hub to `head`. Raises UntrustedHead; the view then stands at the last good commit.
        Raises OSError when the checkpoint cannot be written; the view is at `head`, the next call writes again."""
        view = self.view
        if not self._indexed and view.head is not None:
            view.where = self._index(view.head)
            self._indexed = True
        if head is None or head == view.head:
            if head is None and view.head is not None:
                raise UntrustedHead(view.head, "the hub is empty, it was not before")
            if not self._saved:
                self.save()
            return
        try:
            ahead = self._store.history(view.head, head)
            for number, commit in enumerate(ahead):
                if number and number % STRIDE == 0:
                    self.save()
                    self._progress(number, len(ahead))
                self._apply(commit)
        finally:
            self.save()

    def _apply(self, commit: Commit) -> None:
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
            )  # fmt: skip
        except (BadChangeset, Refused) as error:
            raise UntrustedHead(commit.id, str(error)) from None
        return found.agent, found.trail

    def _load(self, path: Path) -> None:
        saved = json.loads(path.read_text(encoding="utf-8"))
        head = CommitId(saved["head"])
        trails = {AgentId(agent): Trail(*trail) for agent, trail in saved["trails"].items()}
        self.view = View(head, {}, trails)
        self._indexed = False

    def _index(self, head: CommitId) -> dict[TaskId, str]:
        places = ((layout.place_of(path), path) for path, _ in self._store.paths(head))
        return {place.id: path for place, path in places if place is not None}

    def save(self) -> None:
        """Write the checkpoint, if one is kept."""
        if self._checkpoint is None or self.view.head is None:
            return
        self._saved = False
        trails = {agent: [trail.sequence, trail.last] for agent, trail in self.view.trails.items()}
        content = json.dumps({"head": self.view.head, "trails": trails}).encode("utf-8")
        write_private(self._checkpoint, content)
        self._saved = True
