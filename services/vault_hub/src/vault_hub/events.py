"""New commits, told to whoever listens. One event loop; a listener that does not keep up is cut off and comes back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext

from vault_hub.line import Page
from vault_hub.reading import Said
from vault_hub.room import NoRoom
from vault_protocol.hub import CommitId

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent, so that both ends see a line that is dead."""

BACKLOG, BACKLOG_BYTES = 1024, 8 * 1024 * 1024
"""Commits, and bytes of them, a listener may be behind."""

TOGETHER = 64 * 1024
"""Bytes of waiting events from which no more are put into the same write."""


Hold = Callable[[int], AbstractContextManager[object]]


class _Listener:
    """What one of them has still to be told."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[CommitId, bytes]] = deque()
        self.bytes = 0
        self.cut = False
        self.woken = asyncio.Event()

    def add(self, commit: CommitId, event: bytes) -> None:
        self.waiting.append((commit, event))
        self.bytes += len(event)
        if len(self.waiting) > BACKLOG or (self.bytes > BACKLOG_BYTES and len(self.waiting) > 1):
            self.waiting.clear()
            self.cut = True
        self.woken.set()

    def next(self, sent: set[CommitId]) -> bytes:
        """What goes into the next write, without what was sent before; empty when nothing waits."""
        found, size = [], 0
        while self.waiting and size < TOGETHER:
            commit, event = self.waiting.popleft()
            self.bytes -= len(event)
            if commit not in sent:
                found.append(event)
                size += len(event)
        return b"".join(found)


class Events:
    """The listeners of one hub."""

    def __init__(self, *, heartbeat: float = HEARTBEAT) -> None:
        self._heartbeat = heartbeat
        self._listeners: set[_Listener] = set()
        self._closed = False
        self.cut = 0

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def tell(self, commits: Sequence[Said]) -> None:
        """On the loop's own thread."""
        if not self._listeners:
            return
        events = [(said.id, _event("commit", said.id, said.json)) for said in commits]
        for listener in list(self._listeners):
            for commit, event in events:
                listener.add(commit, event)
                if listener.cut:
                    self._listeners.discard(listener)
                    self.cut += 1
                    break

    def cut_all(self) -> None:
        """End every stream there is; whoever listened looks for itself and comes back. On the loop's own thread."""
        for listener in list(self._listeners):
            listener.cut = True
            listener.woken.set()

    def close(self) -> None:
        """End every stream. On the loop's own thread."""
        self._closed = True
        for listener in self._listeners:
            listener.woken.set()

    def _on(self, listener: _Listener) -> bool:
        return not (listener.cut or self._closed)

    async def stream(
        self, missed: Callable[[], Awaitable[Page]], welcome: Callable[[], bool] = lambda: True,
        hold: Hold = nullcontext,
    ) -> AsyncIterator[bytes]:  # fmt: skip
        """Server-sent events: what was `missed`, read once it misses no more, then each commit as it lands.

        `welcome` is asked before anything is told; when it says no the stream ends. `hold` takes room for so many bytes
        while they are told, or raises NoRoom: then the caller is told to ask for them.
        """
        listener = _Listener()
        self._listeners.add(listener)
        try:
            page = await missed()
            sent, first = {said.id for said in page.commits}, _first(page, hold)
            del page  # it may be large, and a stream lasts
            for told in first:
                yield told
            while self._on(listener) and welcome():
                if told := listener.next(sent):
                    yield told
                    continue
                listener.woken.clear()
                try:
                    async with asyncio.timeout(self._heartbeat):
                        await listener.woken.wait()
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._listeners.discard(listener)


def _first(page: Page, hold: Hold) -> Iterator[bytes]:
    with ExitStack() as held:
        behind = page.more or not page.known  # too far for a stream: ask for the changes first
        try:
            held.enter_context(hold(0 if behind else sum(len(said.json) for said in page.commits)))
        except NoRoom:
            behind = True
        if behind:
            yield _event("behind", page.head, b"{}")
        yield _event("head", page.head, b"{}")
        for said in () if behind else page.commits:
            yield _event("commit", said.id, said.json)


def _event(kind: str, commit: CommitId | None, content: bytes) -> bytes:
    # JSON as it is dumped holds no line break.
    return b"event: %s\nid: %s\ndata: %s\n\n" % (kind.encode(), (commit or "").encode(), content)
