"""Which waiting tasks are set aside for whom, so that agents that claim at once do not reach for the same ones.

It is advice and lies in memory alone: a claim is judged by the same rules with or without it, and a restart that
forgets it costs a collision. What waits is read from the repository when somebody first asks.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from heapq import merge
from pathlib import Path

import structlog

from vault_protocol import layout, notes
from vault_protocol.errors import MalformedNote, VaultError
from vault_protocol.fleet import Urgency, urgency
from vault_protocol.hub import CommitId, Edits
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Domain, Stage

log = structlog.get_logger()

SECONDS = 5.0
"""How long a task is set aside. Not claimed by then it is anybody's, and for as long again not its last one's."""

EACH = 64
"""Tasks set aside for one agent."""

PATIENCE = 1.0
"""Seconds that somebody who asks waits for the first reading of what waits; it goes on, and is there for the next."""

FRESH_BYTES = 16 * 1024 * 1024
"""Bytes of notes that arrived and that nobody has asked for yet. Beyond, what waits is read anew when somebody asks."""

_WAITS = Stage.NEEDS_ACTION.value + "/"


@dataclass(frozen=True)
class _Held:
    agent: AgentId
    until: float


class Reservations:
    """Safe for several threads. `take` is told what each new head changes, by one thread."""

    def __init__(
        self, repository: Path, head: Callable[[], CommitId | None], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`head`: that of the line, which never falls behind what `take` was told."""
        self._repository, self._head, self._monotonic = repository, head, monotonic
        self._lock, self._built = threading.Lock(), threading.Event()
        self._reading = 0
        """Counts the readings; what an older one finds is dropped."""
        self._building = False
        self._clear()

    def _clear(self) -> None:
        self._tasks: dict[str, tuple[Domain, Urgency]] = {}
        self._queues: dict[Domain, list[Urgency]] = {}
        self._paths: dict[str, str] = {}
        """Task id → path of what waits."""
        self._fresh: dict[str, bytes] = {}
        self._fresh_bytes = 0
        self._late: list[dict[str, bytes | None]] = []
        """What changed since the reading began."""
        self._held: dict[str, _Held] = {}

    @property
    def count(self) -> int:
        """Tasks that are set aside now."""
        now = self._monotonic()
        with self._lock:
            return sum(now < held.until for held in self._held.values())

    def forget(self) -> None:
        """The line began anew: whoever asks next has everything read again."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._reading += 1
        self._building = False
        self._built.clear()
        self._clear()

    def take(self, edits: Edits) -> None:
        """A commit that is on the line makes these. Cheap, and nothing while nobody asks."""
        waits = {path: content for path, content in edits.items() if path.startswith(_WAITS)}
        if not waits:
            return
        with self._lock:
            if self._building:
                self._late.append(waits)
            elif self._built.is_set():
                self._apply(waits)

    def reserve(self, agent: AgentId, domains: Iterable[Domain], count: int) -> tuple[tuple[str, ...], float]:
        """The most urgent waiting tasks that are set aside for nobody else, by path, and for how many seconds they are.

        Asking again does not prolong what is set aside already, and frees what is not in the answer. Nothing while what
        waits is still being read.
        """
        self._read_once()
        if not self._built.wait(PATIENCE):
            return (), 0.0
        with self._lock:
            self._parse()
            now = self._monotonic()
            self._drop_old(now)
            found = self._free_for(agent, frozenset(domains), min(count, EACH), now)
            for path, held in list(self._held.items()):
                if held.agent == agent and path not in found and now < held.until:
                    self._hold(path, _Held(agent, now))
            for path in found:
                held_now = self._held.get(path)
                if held_now is None or held_now.agent != agent or now >= held_now.until:
                    self._hold(path, _Held(agent, now + SECONDS))
            ends = [self._held[path].until for path in found]
        return tuple(found), min(ends) - now if ends else 0.0

    def _free_for(self, agent: AgentId, domains: frozenset[Domain], count: int, now: float) -> Sequence[str]:
        found: list[str] = []
        for _, _, id_ in merge(*(self._queues.get(domain, []) for domain in domains)):
            if len(found) >= count:
                break
            path = self._paths[id_]
            held = self._held.get(path)
            if held is not None and held.agent == agent:
                free = now < held.until or now >= held.until + SECONDS
            else:
                free = held is None or now >= held.until
            if free:
                found.append(path)
        return found

    def _hold(self, path: str, held: _Held) -> None:
        self._held.pop(path, None)
        self._held[path] = held

    def _drop_old(self, now: float) -> None:
        self._held = {path: held for path, held in self._held.items() if now < held.until + SECONDS}

    def _read_once(self) -> None:
        with self._lock:
            if self._building or self._built.is_set():
                return
            self._building = True
            reading = self._reading
        threading.Thread(target=self._read, args=(reading,), name="reservations", daemon=True).start()

    def _read(self, reading: int) -> None:
        """All that waits at the head. What changes meanwhile is applied after it; to apply some of it twice is the same
        as once, for the last word on each path is the last one."""
        ready: list[tuple[str, tuple[Domain, Urgency] | None]] | None = []
        try:
            head = self._head()
            if head is not None:
                with closing(GitStore(self._repository)) as store:
                    waits = store.paths(head, Stage.NEEDS_ACTION.value)
                    ready = [(path, _read(path, store.blob(blob))) for path, blob in waits]
        except (VaultError, OSError) as error:  # somebody asks again
            log.warning("reservations.unread", error=str(error))
            ready = None
        with self._lock:
            if reading != self._reading:
                return
            self._building = False
            if ready is None:
                self._late = []
                return
            for path, waiting in ready:
                self._put(path, waiting)
            late, self._late = self._late, []
            for edits in late:
                self._apply(edits)
            self._built.set()

    def _apply(self, edits: Mapping[str, bytes | None]) -> None:
        for path, content in edits.items():
            self._fresh_bytes -= len(self._fresh.pop(path, b""))
            self._drop(path)
            if content is not None:
                self._fresh[path] = content
                self._fresh_bytes += len(content)
        if self._fresh_bytes > FRESH_BYTES:
            self._forget()

    def _parse(self) -> None:
        """What arrived since somebody last asked."""
        while self._fresh:
            path, content = self._fresh.popitem()
            self._fresh_bytes -= len(content)
            self._put(path, _read(path, content))

    def _put(self, path: str, waiting: tuple[Domain, Urgency] | None) -> None:
        if waiting is None:
            return
        self._tasks[path] = waiting
        self._paths[waiting[1][2]] = path
        insort(self._queues.setdefault(waiting[0], []), waiting[1])

    def _drop(self, path: str) -> None:
        self._held.pop(path, None)
        waiting = self._tasks.pop(path, None)
        if waiting is not None:
            queue = self._queues[waiting[0]]
            del queue[bisect_left(queue, waiting[1])]
            del self._paths[waiting[1][2]]


def _read(path: str, content: bytes | None) -> tuple[Domain, Urgency] | None:
    """Its domain and how urgent it is; None for what no parser takes, which no agent can claim either."""
    if content is None or layout.place_of(path) is None:
        return None
    try:
        task = notes.read(path, content)
    except MalformedNote:
        return None
    return task.domain, urgency(task)
