"""Publishing: build on the head, sign, swap; when somebody was first, look again and decide again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path

from . import audit, changeset, scan, zones
from .changeset import Trail
from .checkpoint import Checkpoint
from .clock import Clock
from .errors import DiskTrouble, HubUnreachable, Refused
from .follow import Follower, Progress, Trust
from .hub import Accepted, Broken, Change, CommitId, Edits, Hub, Judged, Rejected, Reserved, Store, changed
from .identity import Identity
from .sshsig import PublicKey
from .task import AgentId, Domain, TaskId

TRIES = 60
"""Heads that may pass us by before a publish gives up as if the hub were away."""

OWN, MESSAGE = "it holds a secret of this machine", "the commit message"

Build = Callable[[CommitId | None], Edits]
"""The edits as they are right on this head; raises what the protocol says when they no longer are."""


class Journal:
    """One agent's way to the hub. Everything it writes is one signed changeset on the head it saw."""

    def __init__(
        self, store: Store, hub: Hub, identity: Identity, clock: Clock, *,
        trust: Trust | None = None, secrets: scan.OwnSecrets | None = None, checkpoint: Checkpoint | Path | None = None,
        rest: Callable[[float], None] = time.sleep, progress: Progress = lambda done, total: None,
        owner: PublicKey | None = None, behind: int = 0,
    ) -> None:  # fmt: skip
        """`trust` for a side that judges what it fetches; `secrets` are this side's own, matched before a publish.

        `owner`: the pinned key whose new roots are followed. `behind`: how many commits the checkpoint may be behind,
        for an agent that calls `save` when it comes to rest.
        """
        self.store, self.hub, self.identity, self.clock = store, hub, identity, clock
        self._secrets = secrets or scan.OwnSecrets(frozenset())
        self._rest = rest
        self._follower = Follower(store, identity.vault, trust, checkpoint, progress, owner=owner, behind=behind)
        self.answered: Callable[[Accepted | Rejected], object] = lambda answer: None
        """Hears each time the hub takes, or will not take, what was judged good here."""

    @property
    def head(self) -> CommitId | None:
        """The last head that was followed."""
        return self._follower.view.head

    @property
    def where(self) -> Mapping[TaskId, str]:
        """Task id → path at the head."""
        return self._follower.where

    @property
    def trails(self) -> Mapping[AgentId, Trail]:
        """How far each agent's changesets go at the head."""
        return self._follower.view.trails

    @property
    def generation(self) -> int:
        """How many new roots the owner signed by now."""
        return self._follower.view.generation

    def refresh(self, *, later: bool = False) -> CommitId | None:
        """Follow the hub. Raises HubUnreachable, UntrustedHead or DiskTrouble; the view is at the last good head.

        `later`: the caller calls `save` before it does anything but publish, which does so itself.
        """
        try:
            with self._judging():
                found = self.hub.refresh()
        except HubUnreachable:
            self._follower.advance(self.head, later=later)
            raise
        self._follower.advance(found, later=later)
        return self.head

    def reserve(self, domains: Iterable[Domain], count: int) -> Reserved:
        """Have the hub set waiting tasks aside for us, and follow it to the head at which they wait. Raises as
        `refresh` does."""
        with self._judging():
            found = self.hub.reserve(domains, count)
        self._follower.advance(found.head)
        return found

    def save(self) -> None:
        """What was followed so far is on disk, and where a restart goes on from. Raises OSError."""
        self._follower.save()

    def read(self, path: str) -> bytes | None:
        return self.store.read(self.head, path) if self.head else None

    def publish(self, verb: str, subject: str, build: Build, *, attempt: int = 0, exact: bool = False) -> CommitId:
        """Publish what `build` makes of the head, again on each new head until it is accepted.

        Raises what `build` raises, Refused when a secret is in it or a zone forbids it, HubUnreachable when the
        outcome is not known. `exact`: only on the very head that `build` saw. What is there already is not published.
        """
        for tries in range(TRIES):
            edits = build(self.head)
            if not edits and self.head is not None:
                return self.head
            changes = self._changes(edits)
            if not changes and self.head is not None:
                return self.head  # it stands as it was to stand: ours of before, or another's very same
            self._hold_back_secrets(edits)
            self.hold_back(f"{verb}: {subject}", MESSAGE)
            self._judge(changes, edits)
            commit = self._commit(verb, subject, changes, edits, attempt)
            self._follower.catch_up()  # nothing is signed onto a head that a restart would not know
            before = self._came_to
            with self._judging():
                answer = self.hub.publish(commit, onto=self.head, exact=exact)
            if isinstance(answer, Accepted):
                try:
                    self._follower.advance(answer.head)
                except (DiskTrouble, OSError):
                    # It is on the hub; a checkpoint that finds no room is written by the next refresh.
                    if self._came_to <= before:
                        raise
                if self._came_to <= before:
                    raise HubUnreachable("the hub says that it took our changeset, and shows a head without it")
                self.answered(answer)
                return answer.commit or commit
            if isinstance(answer, Rejected):
                self.answered(answer)
                raise Refused(answer.rule, answer.path, answer.reason)
            if isinstance(answer, Broken):
                raise HubUnreachable(answer.reason)
            self._follower.advance(answer.head)
            self._rest(random.uniform(0, 0.005 * min(tries, 10)))  # noqa: S311 - spreads the losers
        raise HubUnreachable(f"{TRIES} heads went by without room for ours")

    def hold_back(self, words: str, where: str) -> None:
        """Raises Refused when a secret of this side's own is in what a commit's message would say."""
        if self._secrets.found_in(words.encode("utf-8", "replace")):
            raise Refused("secret", where, OWN)

    def _judging(self) -> AbstractContextManager[None]:
        """What the hub shows is judged while it comes, not once all of it is here."""
        return self.hub.judged(self._follower) if isinstance(self.hub, Judged) else nullcontext()

    @property
    def _came_to(self) -> int:
        """How far our own changesets go at the head."""
        return self.trails.get(self.identity.agent, Trail()).sequence

    def log_edits(self, records: Sequence[audit.Record]) -> Edits:
        """The audit file of this agent with these records at its end, chained to what the head has."""
        if not records:
            return {}
        last = self._last_log()
        content = (self.read(last) if last else None) or b""
        tail = audit.parse(content.decode("utf-8").rstrip("\n").rpartition("\n")[2]) if content else None
        path = max(audit.path(self.identity.agent, self._moment()), last)  # a clock set back changes no order
        lines = "".join(record.line() for record in audit.append(tail, records))
        return {path: (content if path == last else b"") + lines.encode("utf-8")}

    def _last_log(self) -> str:
        folder = f"Logs/{self.identity.agent}"
        return max((path for path, _ in self.store.paths(self.head, folder)), default="") if self.head else ""

    def _moment(self) -> datetime:
        return self.clock.now()

    def _judge(self, changes: Sequence[Change], edits: Edits) -> None:
        """What others would not apply is not published: a head they refuse stops everybody."""
        writer = zones.Writer(self.identity.agent, self.identity.role)
        zones.judge(writer, changes, before=self.read, after=edits.get, where=self.where, names=self._names)

    def _names(self, folder: str) -> tuple[str, ...]:
        return self.store.names(self.head, folder) if self.head else ()

    def _commit(self, verb: str, subject: str, changes: Sequence[Change], edits: Edits, attempt: int) -> CommitId:
        me = self.identity
        trail = self._follower.view.trails.get(me.agent, Trail())
        unsigned = changeset.next_in(trail, vault=me.vault, agent=me.agent, verb=verb, attempt=attempt, changes=changes)
        message = unsigned.message(subject, me.key)
        return self.store.commit(self.head, edits, message=message, author=me.agent, at=self._moment())

    def _changes(self, edits: Edits) -> list[Change]:
        head = self.head
        return changed(edits, lambda path: self.store.blob_id(head, path) if head else None)

    def _hold_back_secrets(self, edits: Edits) -> None:
        for path, content in edits.items():
            if content is None:
                continue
            if self._secrets.found_in(path.encode("utf-8") + b"\n" + content):
                raise Refused("secret", path, OWN)
            if path.endswith(".md"):
                kinds = scan.provider_secrets(content.decode("utf-8", "replace"))
                if kinds:
                    raise Refused("secret", path, f"it holds what looks like a {kinds[0]}")
