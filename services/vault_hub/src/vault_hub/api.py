"""Publish, changes and events over HTTP. JSON in `vault_protocol.wire`'s form."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from vault_hub.arbiter import Arbiter, Publish
from vault_hub.doorkeeper import Caller, Denied, Doorkeeper
from vault_hub.events import Events
from vault_hub.line import Line, Page
from vault_hub.metrics import Metrics
from vault_hub.refusals import Refusals
from vault_protocol import wire
from vault_protocol.hub import Accepted, Broken, CommitId, MovedOn, Published, Rejected
from vault_protocol.wire import BadWire

LONGEST_LINE = 10_000
"""Commits in one publish."""

HAVE = 64
"""Heads somebody may name when asking what came after."""

LARGE = 256 * 1024
"""Bytes of a body from which it is read beside the event loop."""

Handler = Callable[[Request, Caller], Awaitable[Response]]


class Api:
    """The routes an agent uses."""

    def __init__(
        self, arbiter: Arbiter, line: Line, events: Events, door: Doorkeeper, metrics: Metrics, refusals: Refusals, *,
        body_bytes: int,
    ) -> None:  # fmt: skip
        self._arbiter, self._line, self._events = arbiter, line, events
        self._door, self._metrics, self._refusals, self._body_bytes = door, metrics, refusals, body_bytes
        self.routes = [
            Route("/v1/publish", self._guarded(self._publish), methods=["POST"]),
            Route("/v1/changes", self._guarded(self._changes), methods=["POST"]),
            Route("/v1/events", self._guarded(self._stream), methods=["GET"]),
        ]

    async def settle(self, caller: Caller, parcels: list[wire.Parcel], onto: CommitId | None, exact: bool) -> Published:
        """Have the arbiter decide, and count what it said."""
        loop, began = asyncio.get_running_loop(), time.perf_counter()
        answered: asyncio.Future[Published] = loop.create_future()

        def answer(published: Published) -> None:
            loop.call_soon_threadsafe(_resolve, answered, published)

        self._arbiter.submit(Publish(caller.agent, parcels, onto, exact, answer))
        published = await answered
        self._metrics.seconds.observe(time.perf_counter() - began)
        self._metrics.publishes.labels(_WORD[type(published)]).inc()
        if isinstance(published, Rejected):
            self._metrics.refusals.labels(published.rule).inc()
            self._refusals.note(caller.agent, published)
        return published

    async def _publish(self, request: Request, caller: Caller) -> Response:
        self._door.may_publish(caller)
        body = await self._body(request)
        parcels, onto, exact = _asked(body) if len(body) < LARGE else await asyncio.to_thread(_asked, body)
        published = await self.settle(caller, parcels, onto, exact)
        if isinstance(published, Rejected):
            said = {"rule": published.rule, "path": published.path, "reason": published.reason}
            return _json({"answer": "rejected", **said})
        if isinstance(published, Broken):
            return _json({"answer": "broken", "reason": published.reason}, 503)
        extra: wire.Object = {"answer": _WORD[type(published)]}
        if isinstance(published, Accepted):
            extra["commit"] = published.commit
        late = self._line.late(onto)
        page = Page(published.head, late) if late is not None else Page(published.head, (), more=True)
        mine = parcels[-1].id if parcels else None
        return _page(page, extra, leave_out=mine)

    async def _changes(self, request: Request, caller: Caller) -> Response:
        body = wire.loaded(await self._body(request))
        have = body.get("have")
        if not isinstance(have, list) or len(have) > HAVE:
            raise BadWire(f"`have` is a list of at most {HAVE} commits")
        names = [wire.commit_id(one) for one in have]
        return _page(await asyncio.to_thread(self._line.since, names), {})

    async def _stream(self, request: Request, caller: Caller) -> Response:
        named = [request.headers.get("last-event-id", ""), *request.query_params.get("since", "").split(",")]
        since = [wire.commit_id(one) for one in named if one][:HAVE]
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._events.stream(since), media_type="text/event-stream", headers=headers)

    async def _body(self, request: Request) -> bytes:
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > self._body_bytes:
                raise Denied(_json({"answer": "denied", "rule": "size", "reason": "the request is too large"}, 413))
            parts.append(part)
        return b"".join(parts)

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                return await handler(request, self._door.let_in(request))
            except Denied as denied:
                return denied.response
            except BadWire as error:
                return _json({"answer": "denied", "rule": "wire", "reason": str(error)}, 400)

        return guarded


_WORD = {Accepted: "accepted", MovedOn: "moved_on", Rejected: "rejected", Broken: "broken"}


def _asked(body: bytes) -> tuple[list[wire.Parcel], CommitId | None, bool]:
    value = wire.loaded(body)
    onto, exact, commits = value.get("onto"), value.get("exact", False), value.get("commits")
    if not isinstance(commits, list) or not 0 < len(commits) <= LONGEST_LINE or not isinstance(exact, bool):
        raise BadWire(f"`commits` is a list of 1 to {LONGEST_LINE} commits, `exact` true or false")
    return [wire.unpacked(one) for one in commits], wire.commit_id(onto) if onto is not None else None, exact


def _resolve(future: asyncio.Future[Published], published: Published) -> None:
    if not future.done():
        future.set_result(published)


def _json(value: wire.Object, status: int = 200) -> Response:
    return JSONResponse(value, status)


def _page(page: Page, extra: wire.Object, leave_out: CommitId | None = None) -> Response:
    """The commits are spliced in as they are kept. `leave_out`: the caller made this one and has it."""
    commits = b",".join(said.json for said in page.commits if said.id != leave_out)
    head = wire.dumped({**extra, "head": page.head, "more": page.more, "known": page.known})
    return Response(head[:-1] + b',"commits":[' + commits + b"]}", media_type="application/json")
