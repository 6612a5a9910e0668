"""Pages of commits as answers: what is on its way to somebody who reads slowly has its bound too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from vault_hub.line import Page
from vault_hub.room import NoRoom, Room, Share
from vault_protocol import wire
from vault_protocol.hub import CommitId
from vault_protocol.task import AgentId

EACH, ALL = 24 * 1024 * 1024, 96 * 1024 * 1024
"""Bytes of answers on their way, for one credential and for all. A larger one counts as so much, and goes alone."""

AT_ONCE = 64 * 1024
"""Bytes written at once. An answer of no more is not counted: a connection holds as much by itself."""

SECONDS = 900.0
"""Within which an answer is read."""


class Told(Response):
    """A large answer, in parts: its room is given back when the last of them went out, or nobody takes them."""

    def __init__(self, parts: list[bytes], held: ExitStack) -> None:
        self.parts, self.held = parts, held
        length = {"content-length": str(sum(map(len, parts)))}
        super().__init__(headers=length, media_type="application/json")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                for piece in self._pieces():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            return
        finally:
            self.held.close()

    def _pieces(self) -> Iterator[bytes]:
        waiting: list[bytes] = []
        size = 0
        for part in self.parts:
            for at in range(0, len(part), AT_ONCE):
                waiting.append(part[at : at + AT_ONCE])
                size += len(waiting[-1])
                if size >= AT_ONCE:
                    yield b"".join(waiting)
                    waiting, size = [], 0
        yield b"".join(waiting)


class Answers:
    """Those on their way from one hub. For its event loop."""

    def __init__(self) -> None:
        self._room = Room("bytes of answers", each=EACH, all_together=ALL)

    @property
    def held(self) -> int:
        return self._room.used

    def share(self, agent: AgentId, size: int) -> AbstractContextManager[Share]:
        """Room for so many bytes. Raises NoRoom."""
        return self._room.share(agent, min(size, EACH))

    def page(self, agent: AgentId, page: Page, extra: wire.Object, leave_out: CommitId | None = None) -> Response:
        """The commits are spliced in as they are kept. `leave_out`: the caller made it and has it. Raises NoRoom."""
        head = wire.dumped({**extra, "head": page.head, "more": page.more, "known": page.known})
        parts = [head[:-1] + b',"commits":[']
        for said in page.commits:
            if said.id != leave_out:
                parts += [b",", said.json] if len(parts) > 1 else [said.json]
        parts.append(b"]}")
        size = sum(map(len, parts))
        if size <= AT_ONCE:
            return Response(b"".join(parts), media_type="application/json")
        with ExitStack() as held:
            held.enter_context(self.share(agent, size))
            return Told(parts, held.pop_all())

    def late(self, agent: AgentId, page: Page, extra: wire.Object, leave_out: CommitId | None = None) -> Response:
        """As `page`, of what is done already: without room for the commits, the caller has to ask for them."""
        try:
            return self.page(agent, page, extra, leave_out)
        except NoRoom:
            return self.page(agent, Page(page.head, (), more=True), extra)
