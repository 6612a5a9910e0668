"""Publish, changes and events over HTTP. JSON in `vault_protocol.wire`'s form."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from vault_hub.answers import Answers
from vault_hub.arbiter import Answer, Arbiter, Publish
from vault_hub.beginning import Begin
from vault_hub.bodies import Bodies, check_parts, no_room
from vault_hub.doorkeeper import Caller, Denied, Doorkeeper, Handler, denied
from vault_hub.events import Events
from vault_hub.line import Line, Page
from vault_hub.metrics import Metrics
from vault_hub.refusals import Refusals
from vault_hub.reservations import Reservations
from vault_hub.room import NoRoom, Room, Share
from vault_hub.turns import Turns
from vault_protocol import wire
from vault_protocol.hub import Accepted, Broken, CommitId, MovedOn, Published, Rejected
from vault_protocol.task import Domain
from vault_protocol.wire import BadWire

LONGEST_LINE = 1_000
"""Commits in one publish."""

WAITING, WAITING_ALL = 64, 1024
"""Publishes under way, for one credential and for all."""

STREAMS, STREAMS_ALL = 16, 256
"""Open streams, for one credential and for all."""

HAVE = 64
"""Heads somebody may name when asking what came after."""

READING = {"threads": 4, "each": 2}
"""Pages of older commits read at once, for all and for one credential; and reservations made."""

LARGE = 256 * 1024
"""Bytes of a body from which it is read beside the event loop."""


class Api:
    """The routes an agent uses."""

    def __init__(
        self, arbiter: Arbiter, line: Line, events: Events, door: Doorkeeper, metrics: Metrics, refusals: Refusals,
        bodies: Bodies, reservations: Reservations, introduction: wire.Object,
    ) -> None:  # fmt: skip
        """`introduction`: what everybody who is let in may know of the vault."""
        self._arbiter, self._line, self._events = arbiter, line, events
        self._door, self._metrics, self._refusals, self._bodies = door, metrics, refusals, bodies
        self._reservations, self._introduction = reservations, introduction
        self.answers = Answers()
        self._parsing = ThreadPoolExecutor(1, "parse")
        self._histories, self._setting_aside = Turns("history", **READING), Turns("reserve", **READING)
        self._publishes = Room("publishes", each=WAITING, all_together=WAITING_ALL)
        self._streams = Room("streams", each=STREAMS, all_together=STREAMS_ALL)
        self.routes = [
            Route("/v1/publish", self._guarded(self._publish), methods=["POST"]),
            Route("/v1/reroot", self._guarded(self._reroot), methods=["POST"]),
            Route("/v1/changes", self._guarded(self._changes), methods=["POST"]),
            Route("/v1/reserve", self._guarded(self._reserve), methods=["POST"]),
            Route("/v1/introduction", self._guarded(self._introduce), methods=["POST"]),
            Route("/v1/leave", self._guarded(self._leave), methods=["POST"]),
            Route("/v1/events", self._guarded(self._stream), methods=["GET"]),
        ]

    async def settle(self, caller: Caller, parcels: list[wire.Parcel], onto: CommitId | None, exact: bool) -> Published:
        """Have the arbiter decide, and count what it said. Raises NoRoom, and Denied for who was revoked meanwhile."""
        return await self._settled(caller, lambda answer: Publish(caller.agent, parcels, onto, exact, answer))

    async def _settled(self, caller: Caller, asked: Callable[[Answer], Publish | Begin]) -> Published:
        self._door.look_again(caller)  # it took its time to come, and to be read
        answered: asyncio.Future[Published] = asyncio.get_running_loop().create_future()
        self._submit(caller, asked, partial(_resolve, answered))
        return await answered

    def _submit(
        self, caller: Caller, asked: Callable[[Answer], Publish | Begin], heard: Callable[[Published], None]
    ) -> None:  # fmt: skip
        """Have the arbiter decide; `heard` is told on the loop, after it was counted. Raises NoRoom."""
        loop, began, held = asyncio.get_running_loop(), time.perf_counter(), ExitStack()
        held.enter_context(self._publishes.share(caller.agent))

        def settled(published: Published) -> None:
            held.close()
            self._metrics.seconds.observe(time.perf_counter() - began)
            self.note(caller, published)
            heard(published)

        def answer(published: Published) -> None:
            loop.call_soon_threadsafe(settled, published)

        self._arbiter.submit(asked(answer))

    def note(self, caller: Caller, published: Published) -> Published:
        """Count an answer, and write down a refusal."""
        self._metrics.publishes.labels(_WORD[type(published)]).inc()
        if isinstance(published, Rejected):
            self._metrics.refusals.labels(published.rule).inc()
            self._refusals.note(caller.agent, published)
        return published

    def publish(self, caller: Caller, body: bytes, answered: Callable[[Response], None]) -> None:
        """A publish that is here whole, from who has a good token; answered on the loop, now or later."""
        held = ExitStack()

        def settled(parcels: list[wire.Parcel], onto: CommitId | None, published: Published) -> None:
            held.close()
            answered(self._said(caller, parcels, onto, published))

        try:
            self._door.count(caller)
            self._door.may_publish(caller)
            held.enter_context(self._door.under_way(caller))
            held.enter_context(self._bodies.share(caller, len(body)))
            parcels, onto, exact = _asked(body)
            self._submit(
                caller, lambda answer: Publish(caller.agent, parcels, onto, exact, answer),
                partial(settled, parcels, onto),
            )  # fmt: skip
        except _TURNED_AWAY as error:
            held.close()
            answered(self._turned_away(error))
        except BaseException:
            held.close()
            raise

    async def _publish(self, request: Request, caller: Caller) -> Response:
        self._door.may_publish(caller)
        async with self._bodies.of(request, caller) as body:
            parcels, onto, exact = _asked(body) if len(body) < LARGE else await self._asked_beside(body)
            published = await self.settle(caller, parcels, onto, exact)
        return self._said(caller, parcels, onto, published)

    def _said(
        self, caller: Caller, parcels: list[wire.Parcel], onto: CommitId | None, published: Published
    ) -> Response:
        if isinstance(published, Rejected | Broken):
            return _no(published)
        extra: wire.Object = {"answer": _WORD[type(published)]}
        if isinstance(published, Accepted):
            extra["commit"] = published.commit
        page = self._line.late(onto) or Page(published.head, (), more=True)
        return self.answers.late(caller.agent, page, extra, leave_out=parcels[-1].id)

    async def _reroot(self, request: Request, caller: Caller) -> Response:
        self._door.may_publish(caller)
        async with self._bodies.of(request, caller) as content:
            root, seen = await asyncio.get_running_loop().run_in_executor(self._parsing, _begun, content)
            published = await self._settled(caller, lambda answer: Begin(caller.agent, root, seen, answer))
        if isinstance(published, Rejected | Broken):
            return _no(published)
        return _json({"answer": _WORD[type(published)], "head": published.head})

    async def _introduce(self, _request: Request, _caller: Caller) -> Response:
        return _json(self._introduction)

    async def _leave(self, _request: Request, caller: Caller) -> Response:
        """The caller's tokens open nothing from now on."""
        await asyncio.to_thread(self._door.revoke, caller)
        return _json({"answer": "left", "agent": caller.agent})

    async def _asked_beside(self, body: bytes) -> tuple[list[wire.Parcel], CommitId | None, bool]:
        """One at a time: what is being parsed takes many times the room of what was sent."""
        return await asyncio.get_running_loop().run_in_executor(self._parsing, _asked, body)

    async def _changes(self, request: Request, caller: Caller) -> Response:
        async with self._bodies.of(request, caller) as content:
            body = wire.loaded(content[:LARGE])
        have = body.get("have")
        if not isinstance(have, list) or len(have) > HAVE:
            raise BadWire(f"`have` is a list of at most {HAVE} commits")
        names = [wire.commit_id(one) for one in have]
        self._door.look_again(caller)
        return self.answers.page(caller.agent, await self._since(caller, names), {})

    async def _since(self, caller: Caller, have: list[CommitId]) -> Page:
        page = self._line.at_hand(have)
        if page is None:
            page = await self._histories.take(caller.agent, partial(self._line.since, have))
        return page

    async def _reserve(self, request: Request, caller: Caller) -> Response:
        """Waiting tasks for the caller to claim, and what it needs to see them."""
        self._door.may_publish(caller)
        async with self._bodies.of(request, caller) as content:
            body = wire.loaded(content[:LARGE])
        have, count = body.get("have"), body.get("count")
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise BadWire("`count` is a number of tasks, at least 1")
        domains = _domains(body.get("domains"))
        known = wire.commit_id(have) if have is not None else None
        self._door.look_again(caller)
        reserve = partial(self._reservations.reserve, caller.agent, domains, count)
        paths, seconds = await self._setting_aside.take(caller.agent, reserve)
        page = self._line.late(known) or Page(self._line.head, (), more=True)
        extra: wire.Object = {"answer": "reserved", "reserved": list(paths), "seconds": seconds}
        return self.answers.late(caller.agent, page, extra)

    async def _stream(self, request: Request, caller: Caller) -> Response:
        named = [request.headers.get("last-event-id", ""), *request.query_params.get("since", "").split(",")]
        since = [wire.commit_id(one) for one in named if one][:HAVE]
        share = self._streams.share(caller.agent)
        share.__enter__()

        async def told() -> AsyncIterator[bytes]:
            hold = partial(self.answers.share, caller.agent)
            missed = partial(self._since, caller, since)
            async for event in self._events.stream(missed, lambda: self._door.knows_still(caller), hold):
                yield event

        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return _Stream(told(), share, headers)

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                return await self._door.serve(request, handler)
            except _TURNED_AWAY as error:
                return self._turned_away(error)

        return guarded

    def _turned_away(self, error: Denied | BadWire | NoRoom) -> Response:
        match error:
            case Denied():
                return error.response
            case BadWire():
                return denied(400, "wire", str(error))
        self._metrics.limited.inc()
        return no_room(error)


def _no(published: Rejected | Broken) -> Response:
    if isinstance(published, Broken):
        return _json({"answer": "broken", "reason": published.reason}, 503)
    said = {"rule": published.rule, "path": published.path, "reason": published.reason}
    return _json({"answer": "rejected", **said})


_TURNED_AWAY = (Denied, BadWire, NoRoom)

_WORD = {Accepted: "accepted", MovedOn: "moved_on", Rejected: "rejected", Broken: "broken"}


class _Stream(StreamingResponse):
    """Holds its share until it has ended, even when it never began."""

    def __init__(
        self, events: AsyncIterator[bytes], share: AbstractContextManager[Share], headers: dict[str, str]
    ) -> None:  # fmt: skip
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._share = share

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._share.__exit__(None, None, None)


def _asked(body: bytes) -> tuple[list[wire.Parcel], CommitId | None, bool]:
    if len(body) >= LARGE:
        check_parts(body)
    value = wire.loaded(body)
    onto, exact, commits = value.get("onto"), value.get("exact", False), value.get("commits")
    if not isinstance(commits, list) or not 0 < len(commits) <= LONGEST_LINE or not isinstance(exact, bool):
        raise BadWire(f"`commits` is a list of 1 to {LONGEST_LINE} commits, `exact` true or false")
    return [wire.unpacked(one) for one in commits], wire.commit_id(onto) if onto is not None else None, exact


def _domains(value: object) -> list[Domain]:
    try:
        return [Domain(one) for one in value] if isinstance(value, list) else []
    except ValueError:
        raise BadWire(f"`domains` is a list of some of {', '.join(Domain)}") from None


def _begun(body: bytes) -> tuple[wire.Parcel, CommitId | None]:
    check_parts(body)
    value = wire.loaded(body)
    seen = value.get("seen")
    return wire.unpacked(value.get("root")), wire.commit_id(seen) if seen is not None else None


def _resolve(future: asyncio.Future[Published], published: Published) -> None:
    if not future.done():
        future.set_result(published)


def _json(value: wire.Object, status: int = 200) -> Response:
    return JSONResponse(value, status)
