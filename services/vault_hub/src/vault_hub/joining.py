"""How the owner's machine joins: with a code it gives its keys and gets its token and the keys of Cloud, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vault_hub.agents import Agents, Standing
from vault_hub.doorkeeper import denied, too_many
from vault_hub.invitation import Invitation, Invitations
from vault_hub.limits import Allowance
from vault_protocol.errors import VaultError
from vault_protocol.join_code import JoinCode
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AgentId

log = structlog.get_logger()

LOCAL = AgentId("local")
LARGEST = 8 * 1024
"""Bytes of a request to join."""
SECONDS = 20.0
"""Within which it is there."""
BURST, PER_SECOND = 20, 0.5
"""Of requests to join from one address."""


class Asked(BaseModel):
    """What a machine says when it joins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Annotated[str, Field(max_length=100)]
    vault: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
    owner_key: Annotated[str, Field(max_length=500)]
    local_key: Annotated[str, Field(max_length=500)]


class Joined(BaseModel):
    """What it gets: its token, this once, the public key of each agent of Cloud, and whom to tell that it works."""

    vault: str
    token: str
    agents: dict[str, str]
    monitors: dict[str, str]
    """Paths on the hub's own address that this machine calls when a job of its own was done."""


class NotThisHub(Exception):
    """The code is good, and this machine does not belong here; the message says why."""


Admit = Callable[[Invitation, Asked], Joined]
"""Raises NotThisHub, VaultError, or ValueError for a key that is none."""


class Joining:
    """GET tells which authority vouches for the hub, POST takes a code. The only door that needs no token."""

    def __init__(self, invitations: Invitations, admit: Admit, calls: Allowance) -> None:
        self._invitations, self._admit, self._calls = invitations, admit, calls
        self.routes = [
            Route("/v1/join", self._authority, methods=["GET"]),
            Route("/v1/join", self._join, methods=["POST"]),
        ]

    async def _authority(self, request: Request) -> Response:
        wait = self._calls.take(_address(request))
        if wait:
            return too_many(wait)
        invitation = await asyncio.to_thread(self._invitations.open)
        if invitation is None:
            return denied(404, "join", "nobody is invited now; the hub's operator makes a code with `join-code`")
        return JSONResponse({"ca": invitation.ca})

    async def _join(self, request: Request) -> Response:
        wait = self._calls.take(_address(request))
        if wait:
            return too_many(wait)
        try:
            asked = Asked.model_validate_json(await asyncio.wait_for(_body(request), SECONDS))
            code = JoinCode.parse(asked.code)
            PublicKey.parse(asked.owner_key), PublicKey.parse(asked.local_key)
        except (ValidationError, ValueError, TimeoutError):
            return denied(400, "join", "this is no request to join")
        return await asyncio.to_thread(self._decide, code, asked)

    def _decide(self, code: JoinCode, asked: Asked) -> Response:
        invitation = self._invitations.redeem(code)
        if invitation is None:
            log.warning("join.denied")
            return denied(403, "join", "this code opens nothing: it is wrong, used, or too old; ask for another")
        try:
            joined = self._admit(invitation, asked)
        except NotThisHub as no:
            log.warning("join.refused", reason=str(no))
            return denied(409, "join", str(no))
        except VaultError as error:
            log.error("join.failed", error=str(error))
            return denied(500, "join", "the hub could not do it; its log says why")
        log.info("join.done", agent=LOCAL, vault=joined.vault)
        return JSONResponse(joined.model_dump())


def doors(invitations: Invitations, admit: Admit, monotonic: Callable[[], float]) -> Joining:
    return Joining(invitations, admit, Allowance(burst=BURST, per_second=PER_SECOND, monotonic=monotonic))


def again(agents: Agents, vault: str, owner_key: PublicKey) -> Admit:
    """At a hub that has its owner: their machine gets another token, and the ones it had are void."""

    def admit(invitation: Invitation, asked: Asked) -> Joined:
        known = agents.names()
        local = known.get(LOCAL)
        if PublicKey.parse(asked.owner_key) != owner_key or local is None or not _same(local.key, asked.local_key):
            raise NotThisHub(
                f"this hub has the vault {vault} of another machine: bring that machine's keys (--keys-from)"
            )
        token = agents.rotate(LOCAL, grace=timedelta(0))
        clouds = {str(name): one.key for name, one in known.items() if one.standing is Standing.CLOUD and one.key}
        return Joined(vault=vault, token=token, agents=clouds, monitors=invitation.monitors)

    return admit


def _same(known: str | None, given: str) -> bool:
    return known is not None and PublicKey.parse(known) == PublicKey.parse(given)


def _address(request: Request) -> str:
    return request.client.host if request.client else "?"


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST:
            raise ValueError("too large")
        parts.append(part)
    return b"".join(parts)
