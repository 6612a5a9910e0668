"""`git clone`, `fetch` and `push` over HTTP. A push is taken apart into the publishes it is, and judged as those."""

from __future__ import annotations

import asyncio
import gzip
import os
import subprocess
import tempfile
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from vault_hub import pkt
from vault_hub.api import LONGEST_LINE, Api
from vault_hub.doorkeeper import Caller, Denied, Doorkeeper
from vault_hub.line import Line
from vault_hub.objects import HEAD
from vault_hub.pkt import BadPush
from vault_protocol import wire
from vault_protocol.errors import UntrustedHead
from vault_protocol.hub import Accepted, Broken, CommitId, MovedOn, Rejected
from vault_protocol.store import GitStore

REPOSITORY = "/vault.git"
CAPABILITIES = b"report-status ofs-delta object-format=sha1 agent=countersign"
PATIENCE = 300.0
"""Seconds one git program may take."""


class SmartHttp:
    """The three addresses git asks for (gitprotocol-http, the smart form only)."""

    def __init__(self, repository: Path, api: Api, door: Doorkeeper, line: Line, *, body_bytes: int) -> None:
        self._repository, self._api, self._door, self._line = repository, api, door, line
        self._body_bytes = body_bytes
        self.routes = [
            Route(f"{REPOSITORY}/info/refs", self._refs, methods=["GET"]),
            Route(f"{REPOSITORY}/git-upload-pack", self._fetch, methods=["POST"]),
            Route(f"{REPOSITORY}/git-receive-pack", self._push, methods=["POST"]),
        ]

    async def _refs(self, request: Request) -> Response:
        try:
            caller = self._door.let_in(request)
            service = request.query_params.get("service", "")
            if service == "git-receive-pack":
                self._door.may_publish(caller)
        except Denied as denied:
            return denied.response
        head = pkt.line(f"# service={service}\n".encode()) + pkt.FLUSH
        if service == "git-receive-pack":
            return _answer(service, "advertisement", head + self._advertised())
        if service != "git-upload-pack":
            return PlainTextResponse("only git's smart protocol is spoken here\n", 403)
        process = await self._upload_pack(request, "--advertise-refs")
        out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        v2 = b"version 2" in out[:40]
        return _answer(service, "advertisement", out if v2 else head + out)

    def _advertised(self) -> bytes:
        head = self._line.head
        name = f"{head} {HEAD}" if head else f"{'0' * 40} capabilities^{{}}"
        return pkt.line(name.encode() + b"\0" + CAPABILITIES + b"\n") + pkt.FLUSH

    async def _fetch(self, request: Request) -> Response:
        try:
            self._door.let_in(request)
            body = await self._body(request)
        except Denied as denied:
            return denied.response
        process = await self._upload_pack(request)

        async def answered() -> AsyncIterator[bytes]:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(body)
                process.stdin.write_eof()
                while part := await asyncio.wait_for(process.stdout.read(1 << 16), PATIENCE):
                    yield part
                await process.wait()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

        media = "application/x-git-upload-pack-result"
        return StreamingResponse(answered(), media_type=media, headers={"Cache-Control": "no-cache"})

    async def _upload_pack(self, request: Request, *options: str) -> asyncio.subprocess.Process:
        protocol = request.headers.get("git-protocol", "")
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1"}
        if protocol in ("version=1", "version=2"):
            environment["GIT_PROTOCOL"] = protocol
        return await asyncio.create_subprocess_exec(
            "git", "upload-pack", "--strict", "--stateless-rpc", *options, str(self._repository),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env=environment,
        )  # fmt: skip

    async def _push(self, request: Request) -> Response:
        try:
            caller = self._door.let_in(request)
            self._door.may_publish(caller)
            body = await self._body(request)
        except Denied as denied:
            return denied.response
        if body == pkt.FLUSH:  # git asks whether it is let in before it sends what is large
            return _answer("git-receive-pack", "result", b"")
        try:
            found, at = pkt.commands(body)
        except BadPush as error:
            return PlainTextResponse(f"{error}\n", 400)
        results: list[tuple[str, str | None]] = []
        for command in found:
            refused = None if command.ref == HEAD else f"only {HEAD} is published here"
            if refused is None and command.new is None:
                refused = "the head is never deleted"
            results.append((command.ref, refused))
        unpacked = "ok"
        for number, command in enumerate(found):
            if results[number][1] is None and command.new is not None:
                unpacked, reason = await self._moved(caller, CommitId(command.new), command.old, body[at:])
                results[number] = (command.ref, reason)
        return _answer("git-receive-pack", "result", pkt.report(unpacked, results))

    async def _moved(self, caller: Caller, new: CommitId, old: str | None, pack: bytes) -> tuple[str, str | None]:
        """How unpacking went, and why `main` was not moved, or None when it was."""
        onto = CommitId(old) if old else None
        if onto != self._line.head:
            return "ok", "fetch first: the head moved on"
        try:
            parcels = await asyncio.to_thread(_taken_apart, self._repository, pack, onto, new)
        except BadPush as error:
            return str(error), "unpacker error"
        except UntrustedHead as error:
            return "ok", error.reason
        published = await self._api.settle(caller, parcels, onto, exact=True)
        match published:
            case Accepted():
                return "ok", None
            case MovedOn():
                return "ok", "fetch first: the head moved on"
            case Rejected():
                return "ok", f"{published.rule}: {published.reason} ({published.path})"
            case Broken():
                return "ok", published.reason

    async def _body(self, request: Request) -> bytes:
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > self._body_bytes:
                raise Denied(PlainTextResponse("the request is too large\n", 413))
            parts.append(part)
        body = b"".join(parts)
        if request.headers.get("content-encoding", "") in ("gzip", "x-gzip"):
            try:
                unzipped = zlib.decompressobj(16 + zlib.MAX_WBITS)
                body = unzipped.decompress(body, self._body_bytes)
                if unzipped.unconsumed_tail:
                    raise Denied(PlainTextResponse("the request is too large\n", 413))
            except (zlib.error, gzip.BadGzipFile):
                raise Denied(PlainTextResponse("the request is no gzip\n", 400)) from None
        return body


def _taken_apart(repository: Path, pack: bytes, onto: CommitId | None, new: CommitId) -> list[wire.Parcel]:
    """The commits of a push, read in a repository of their own that sees the hub's. Raises BadPush, UntrustedHead."""
    with tempfile.TemporaryDirectory(prefix="push-", dir=repository / "objects") as folder:
        quarantine = Path(folder) / "quarantine.git"
        store = GitStore(quarantine)
        (quarantine / "objects" / "info").mkdir(exist_ok=True)
        (quarantine / "objects" / "info" / "alternates").write_text(f"{repository / 'objects'}\n")
        if pack:
            done = subprocess.run(
                ["git", f"--git-dir={quarantine}", "index-pack", "--stdin", "--fix-thin", "--strict"],
                input=pack, capture_output=True, timeout=PATIENCE, check=False,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            )  # fmt: skip
            if done.returncode != 0:
                said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["index-pack failed"]
                raise BadPush(said[-1][:200])
            store = GitStore(quarantine)
        commits = store.history(onto, new)
        if len(commits) > LONGEST_LINE:
            raise UntrustedHead(new, f"over {LONGEST_LINE} commits in one push")
        return [wire.parcel(store, commit) for commit in commits]


def _answer(service: str, kind: str, content: bytes) -> Response:
    media = f"application/x-{service}-{kind}"
    return Response(content, media_type=media, headers={"Cache-Control": "no-cache, max-age=0, must-revalidate"})
