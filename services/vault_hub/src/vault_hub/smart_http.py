"""`git clone`, `fetch` and `push` over HTTP. A push is taken apart into the publishes it is, and judged as those."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from vault_hub import pkt
from vault_hub.api import LONGEST_LINE, Api
from vault_hub.bodies import Bodies
from vault_hub.doorkeeper import Caller, Denied, Doorkeeper, Handler
from vault_hub.git import environment
from vault_hub.line import Line
from vault_hub.objects import HEAD
from vault_hub.pkt import BadPush, Command
from vault_hub.quarantine import Quarantine
from vault_hub.room import NoRoom, Room
from vault_protocol.errors import Refused, UntrustedHead
from vault_protocol.hub import Accepted, Broken, CommitId, MovedOn, Published, Rejected

REPOSITORY = "/vault.git"
CAPABILITIES = b"report-status ofs-delta object-format=sha1 agent=countersign"
PATIENCE = 300.0
"""Seconds one fetch may take."""

FETCHES, FETCHES_ALL = 4, 8
"""git programs that answer fetches at once, for one credential and for all."""


class SmartHttp:
    """The three addresses git asks for (gitprotocol-http, the smart form only)."""

    def __init__(
        self, repository: Path, api: Api, door: Doorkeeper, line: Line, bodies: Bodies, *, content_bytes: int
    ) -> None:  # fmt: skip
        self._repository, self._api, self._door, self._line, self._bodies = repository, api, door, line, bodies
        self._quarantine = Quarantine(repository, content_bytes, LONGEST_LINE)
        self._fetches = Room("fetches", each=FETCHES, all_together=FETCHES_ALL)
        self._pushes = Room("pushes", each=1, all_together=FETCHES_ALL)
        self._unpacking = ThreadPoolExecutor(2, "push")
        self.routes = [
            Route(f"{REPOSITORY}/info/refs", self._guarded(self._refs), methods=["GET"]),
            Route(f"{REPOSITORY}/git-upload-pack", self._guarded(self._fetch), methods=["POST"]),
            Route(f"{REPOSITORY}/git-receive-pack", self._guarded(self._push), methods=["POST"]),
        ]

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                return await self._door.serve(request, handler)
            except Denied as denied:
                return denied.response
            except NoRoom as error:
                return PlainTextResponse(f"{error}\n", 429, {"Retry-After": "1"})

        return guarded

    async def _refs(self, request: Request, caller: Caller) -> Response:
        service = request.query_params.get("service", "")
        head = pkt.line(f"# service={service}\n".encode()) + pkt.FLUSH
        if service == "git-receive-pack":
            self._door.may_publish(caller)
            return _answer(service, "advertisement", head + self._advertised())
        if service != "git-upload-pack":
            return PlainTextResponse("only git's smart protocol is spoken here\n", 403)
        with self._fetches.share(caller.agent):
            process = await self._upload_pack(request, "--advertise-refs")
            try:
                out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
            finally:
                await _ended(process)
        v2 = b"version 2" in out[:40]
        return _answer(service, "advertisement", out if v2 else head + out)

    def _advertised(self) -> bytes:
        head = self._line.head
        name = f"{head} {HEAD}" if head else f"{'0' * 40} capabilities^{{}}"
        return pkt.line(name.encode() + b"\0" + CAPABILITIES + b"\n") + pkt.FLUSH

    async def _fetch(self, request: Request, caller: Caller) -> Response:
        async with self._bodies.of(request, caller, zipped=True) as body:
            self._door.look_again(caller)
            with ExitStack() as held:
                held.enter_context(self._fetches.share(caller.agent))
                return _Fetch(await self._upload_pack(request), body, held.pop_all())

    async def _upload_pack(self, request: Request, *options: str) -> asyncio.subprocess.Process:
        protocol = request.headers.get("git-protocol", "")
        spoken = {"GIT_PROTOCOL": protocol} if protocol in ("version=1", "version=2") else {}
        return await asyncio.create_subprocess_exec(
            "git", "upload-pack", "--strict", "--stateless-rpc", *options, str(self._repository),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env=environment(**spoken),
        )  # fmt: skip

    async def _push(self, request: Request, caller: Caller) -> Response:
        self._door.may_publish(caller)
        async with self._bodies.of(request, caller, zipped=True) as body:
            if body == pkt.FLUSH:  # git asks whether it is let in before it sends what is large
                return _answer("git-receive-pack", "result", b"")
            self._door.look_again(caller)
            try:
                found, at = pkt.commands(body)
            except BadPush as error:
                return PlainTextResponse(f"{error}\n", 400)
            refused = [_refused(command, len(found)) for command in found]
            unpacked, moved = "ok", None
            if found and refused[0] is None:
                with self._pushes.share(caller.agent):
                    unpacked, moved = await self._moved(caller, found[0], body[at:])
        results = [(command.ref, why or moved) for command, why in zip(found, refused, strict=True)]
        return _answer("git-receive-pack", "result", pkt.report(unpacked, results))

    async def _moved(self, caller: Caller, command: Command, pack: bytes) -> tuple[str, str | None]:
        """How unpacking went, and why `main` was not moved, or None when it was."""
        assert command.new is not None
        onto, new = CommitId(command.old) if command.old else None, CommitId(command.new)
        if onto != self._line.head:
            return "ok", "fetch first: the head moved on"
        loop = asyncio.get_running_loop()
        published: Published
        try:
            parcels = await loop.run_in_executor(self._unpacking, self._quarantine.parcels, pack, onto, new)
        except BadPush as error:
            self._api.note(caller, Rejected("pack", "", str(error)))
            return str(error), "unpacker error"
        except UntrustedHead as error:
            published = self._api.note(caller, Rejected("objects", "", error.reason))
        except Refused as error:
            published = self._api.note(caller, Rejected(error.rule, error.path, error.reason))
        else:
            published = await self._api.settle(caller, parcels, onto, exact=True)
        match published:
            case Accepted():
                return "ok", None
            case MovedOn():
                return "ok", "fetch first: the head moved on"
            case Rejected():
                where = f" ({published.path})" if published.path else ""
                return "ok", f"{published.rule}: {published.reason}{where}"
            case Broken():
                return "ok", published.reason


class _Fetch(StreamingResponse):
    """What upload-pack answers. However the line ends, the program ends with it, and at the latest in PATIENCE."""

    def __init__(self, process: asyncio.subprocess.Process, body: bytes, held: ExitStack) -> None:
        media = "application/x-git-upload-pack-result"
        super().__init__(self._parts(), media_type=media, headers={"Cache-Control": "no-cache"})
        self._process, self._asked, self._held = process, body, held

    async def _parts(self) -> AsyncIterator[bytes]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(self._asked)
        self._process.stdin.write_eof()
        while part := await self._process.stdout.read(1 << 16):
            yield part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await super().__call__(scope, receive, send)
        except TimeoutError:
            return
        finally:
            self._held.close()
            await _ended(self._process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


def _refused(command: Command, commands: int) -> str | None:
    """Why this command is not even looked at."""
    if command.ref != HEAD:
        return f"only {HEAD} is published here"
    if command.new is None:
        return "the head is never deleted"
    return "it goes alone" if commands > 1 else None


def _answer(service: str, kind: str, content: bytes) -> Response:
    media = f"application/x-{service}-{kind}"
    return Response(content, media_type=media, headers={"Cache-Control": "no-cache, max-age=0, must-revalidate"})
