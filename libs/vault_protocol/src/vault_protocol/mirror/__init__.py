"""The owner's folder ⇄ commits: `look` says what the owner did, the caller publishes it, `apply` shows what is.

Read both sides → `plan` (pure) → run. What the mirror put where stands in its base, outside the vault; bytes that no
commit has are a person's, and are never deleted.
"""

from __future__ import annotations

import threading
from collections.abc import Set
from hashlib import sha256
from pathlib import Path
from typing import Self

from vault_protocol import scan
from vault_protocol.clock import Clock
from vault_protocol.hub import CommitId, Store
from vault_protocol.mirror import names
from vault_protocol.mirror.apply import adopt, differences, make_folders, put_back
from vault_protocol.mirror.base import Base, BaseInUse
from vault_protocol.mirror.bring import STEPS, Bringer, Step
from vault_protocol.mirror.items import (
    Conflict,
    Decided,
    DraftEdited,
    Dropped,
    Edited,
    Item,
    PutBack,
    Removed,
    Unsynced,
    Vanished,
    Verdict,
)
from vault_protocol.mirror.look import READ, Looker
from vault_protocol.mirror.place import Blocked, Folder
from vault_protocol.mirror.plan import FIRST_RUN, plan
from vault_protocol.mirror.scene import Quick, Scene
from vault_protocol.mirror.watch import Watch

__all__ = [
    "STEPS", "BaseInUse", "Conflict", "Decided", "DraftEdited", "Dropped", "Edited", "Item", "Mirror", "PutBack",
    "Quick", "Removed", "Step", "Unsynced", "Vanished", "Verdict",
]  # fmt: skip

SETTLE = 3.0
"""Seconds a file must be still before it counts as saved."""

RESCAN = 600.0
"""Seconds after which everything is looked at again, watched or not."""


class Mirror:
    """The owner's folder. One thread at a time, one process at a time.

    The loop: wait for `changed` or `settled_in()`, refresh, `look(head)`, publish or `refuse` each item, `apply(head)`.
    """

    changed: threading.Event
    """Set when something moved in the watched folder; cleared by `look`."""

    def __init__(
        self, folder: Path, store: Store, base: Path, clock: Clock, *,
        quick: Quick, secrets: scan.OwnSecrets | None = None, settle: float = SETTLE, step: Step = lambda _name: None,
    ) -> None:  # fmt: skip
        """`base`: a private SQLite file outside the folder. Raises BaseInUse when another process has it open.

        `step` is called before each of `STEPS`.
        """
        self.changed = threading.Event()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder, self._store, self._clock, self._quick = Folder(folder), store, clock, quick
        self._secrets = secrets or scan.OwnSecrets(frozenset())
        self._settle, self._step = settle, step
        self._base = Base(base)
        self._looker = Looker(self._folder, self._base, clock)
        self._watch: Watch | None = None
        self._scanned: float | None = None
        self._folders_stand = False
        """Nobody took a folder away since they were made."""
        self._refused: dict[tuple[str, str], str] = {}
        self._blocked: dict[str, str] = {}
        self._items: tuple[Item, ...] = ()
        bringer = self._bringer()
        try:
            bringer.recover()
            bringer.keep_leftovers()
        except BaseException:
            self._base.close()
            raise
        self._kept = bringer.kept

    def watch(self) -> None:
        """Follow the folder from now on; without it every `look` is a full scan. Raises OSError when the system has
        no room for more watches."""
        self._watch = self._watch or Watch(self._folder.root, self.changed)

    def rescan(self) -> None:
        """Look at everything next time."""
        self._scanned = None
        self.changed.set()

    def look(self, head: CommitId) -> tuple[Item, ...]:
        """What the owner did, judged against this head. Changes nothing in the folder; `apply` puts back, keeps copies
        and restores, and says so itself: call it after every `look`, for the same head too."""
        self._observe()
        self._items = plan(self._scene(head))
        offers = [item for item in self._items if isinstance(item, Edited | Removed)]
        if offers:
            with self._base.saving(durable=False):
                for item in offers:
                    self._base.offer(item.path, _digest(item))
        return tuple(item for item in self._items if not isinstance(item, PutBack | Conflict | Vanished))

    def refuse(self, item: Decided | Edited | Removed, reason: str) -> None:
        """This could not be published: a decision goes back with the next `apply`, an edit stays unsynced until its
        bytes change, a removed note returns."""
        self._refused[item.path, _digest(item)] = reason

    def apply(self, head: CommitId) -> tuple[Item, ...]:
        """Bring the folder to this commit; gives what was put back, restored or kept as a copy for it.

        Restartable after a kill at any step. Raises OSError when the disk is full: call it again.
        """
        bringer = self._bringer()
        bringer.kept, self._kept = self._kept, []
        bringer.recover()
        if not self._folders_stand:
            make_folders(self._folder, bringer)
            self._folders_stand = self._watch is not None and not bringer.blocked
        wants, refused = differences(self._store, self._base, head)
        if wants:
            with self._base.saving(durable=False):
                self._base.depart()
        bringer.bring(wants)
        self._observe({*wants, *(item.copy for item in bringer.kept)})
        self._step("reflect")
        first = self._base.commit is None
        with self._base.saving(durable=first):
            if first:
                adopt(self._base, self._looker)
            self._base.reflect(head)
        scene = self._scene(head)
        self._step("put back")
        done = put_back(plan(scene), self._folder, self._base, bringer, scene.at_head)
        self._after(done)
        self._blocked = {**refused, **bringer.blocked}
        self._items = plan(self._scene(head))
        return done

    def settled_in(self) -> float | None:
        """Seconds until something seen may have settled; None when nothing is waiting."""
        now = self._clock.monotonic()
        waits = [self._settle - (now - seen.since) for seen in self._looker.seen.values()]
        return min((wait for wait in waits if wait > 0), default=None)

    def unsynced(self) -> tuple[Unsynced, ...]:
        """What is in the folder only, as of the last `look` or `apply`, and what stood in the way."""
        found = {names.shown(path): f"not brought up to date: {reason}" for path, reason in self._blocked.items()}
        foreign = (path for path, record in self._base.records.items() if record.blob is None)
        found |= dict.fromkeys(foreign, FIRST_RUN)
        found |= {item.path: "edited, not decided yet" for item in self._items if isinstance(item, DraftEdited)}
        found |= {item.path: item.reason for item in self._items if isinstance(item, Unsynced)}
        return tuple(Unsynced(path, reason) for path, reason in sorted(found.items()))

    def read(self, path: str) -> bytes | None:
        """The bytes of a plain file in the folder; no link is followed, nothing larger than 64 MiB is read."""
        try:
            found = self._folder.read(path, READ)
        except Blocked:
            return None
        return found.content if found else None

    def discard(self, item: Dropped) -> bool:
        """Take a dropped file away if it still holds these bytes; other bytes stay, as a conflict copy at worst."""
        found = self.read(item.path)
        if found is None or sha256(found).hexdigest() != item.digest:
            return False
        bringer = self._bringer()
        bringer.clear(item.path, item.digest)
        self._looker.look({item.path})
        return not bringer.kept

    def close(self) -> None:
        """Stop watching and let go of the base."""
        if self._watch:
            self._watch.close()
        self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _observe(self, also: Set[str] = frozenset()) -> None:
        """Look at what may have changed; now and then, and when nobody watches, at everything."""
        now, paths = self._clock.monotonic(), None
        if self._watch:
            paths = self._watch.take()
        else:
            self.changed.clear()
        if paths is None or self._scanned is None or now - self._scanned >= RESCAN:
            self._scanned, self._folders_stand = now, False
            self._looker.look(None)
        self._looker.look((paths or set()) | also)

    def _after(self, done: tuple[Item, ...]) -> None:
        """Look at what was put back, and forget why."""
        for item in done:
            if isinstance(item, PutBack | Vanished):
                for key in [key for key in self._refused if key[0] == item.path]:
                    del self._refused[key]
        touched = {item.path for item in done}
        touched |= {item.to for item in done if isinstance(item, PutBack)}
        touched |= {item.copy for item in done if isinstance(item, Conflict)}
        self._looker.look(touched)
        foreign = [path for path, seen in self._looker.seen.items() if seen.found is None]
        with self._base.saving(durable=False):
            for path in foreign:
                if path in self._base.records and not self._base.is_recorded(path):
                    self._base.forget(path)

    def _bringer(self) -> Bringer:
        return Bringer(self._folder, self._base, self._store.blob, self._clock.now, self._step)

    def _scene(self, head: CommitId) -> Scene:
        base = self._base
        return Scene(
            records=base.records, where=base.where, behind=base.behind, seen=self._looker.seen,
            first=base.commit is None, now=self._clock.monotonic(), settle=self._settle, moment=self._clock.now(),
            at_head=lambda path: self._store.blob_id(head, path), blob=self._store.blob,
            knows=base.knows, offered=base.offered, quick=self._quick, secret=self._secret, refused=self._refused,
        )  # fmt: skip

    def _secret(self, content: bytes) -> str | None:
        """Why these bytes do not leave this machine, or None."""
        if self._secrets.found_in(content):
            return "it holds a secret of this machine"
        kinds = scan.provider_secrets(content.decode("utf-8", "replace"))
        return f"it holds what looks like a {kinds[0]}" if kinds else None


def _digest(item: Decided | Edited | Removed) -> str:
    return "" if isinstance(item, Removed) else sha256(item.content).hexdigest()
