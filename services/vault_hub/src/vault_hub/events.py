"""New commits, told to whoever listens. One event loop; a listener that does not keep up is cut off and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from vault_hub.line import Line, Said
from vault_protocol.hub import CommitId

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent, so that both ends see a line that is dead."""

BACKLOG = 1024
"""Commits a listener may be behind."""


class Events:
    """The listeners of one hub."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._queues: set[asyncio.Queue[Said | None]] = set()
        self.closed = asyncio.Event()

    @property
    def listeners(self) -> int:
        return len(self._queues)

    def tell(self, commits: Sequence[Said]) -> None:
        """On the loop's own thread."""
        for waiting in list(self._queues):
            for said in commits:
                try:
                    waiting.put_nowait(said)
                except asyncio.QueueFull:
                    self._queues.discard(waiting)
                    while not waiting.empty():
                        waiting.get_nowait()
                    waiting.put_nowait(None)
                    break

    def close(self) -> None:
        self.closed.set()
        for waiting in self._queues:
            while waiting.full():
                waiting.get_nowait()
            waiting.put_nowait(None)

    async def stream(self, since: Sequence[CommitId], *, heartbeat: float = HEARTBEAT) -> AsyncIterator[bytes]:
        """Server-sent events: first what came after the first known of `since`, then each commit as it lands."""
        waiting: asyncio.Queue[Said | None] = asyncio.Queue(BACKLOG)
        self._queues.add(waiting)
        try:
            page = await asyncio.to_thread(self._line.since, since)
            if page.more or not page.known:
                yield _event("behind", page.head, b"{}")  # too far for a stream: ask for the changes first
            sent = {said.id for said in page.commits}
            yield _event("head", page.head, b"{}")
            if page.known and not page.more:
                for said in page.commits:
                    yield _event("commit", said.id, said.json)
            while not self.closed.is_set():
                try:
                    said_next = await asyncio.wait_for(waiting.get(), heartbeat)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if said_next is None:
                    return
                if said_next.id not in sent:
                    yield _event("commit", said_next.id, said_next.json)
        finally:
            self._queues.discard(waiting)


def _event(kind: str, commit: CommitId | None, content: bytes) -> bytes:
    # JSON as it is dumped holds no line break.
    return b"event: %s\nid: %s\ndata: %s\n\n" % (kind.encode(), (commit or "").encode(), content)
