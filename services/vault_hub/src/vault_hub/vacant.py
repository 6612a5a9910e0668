"""A hub that has no owner yet: it serves health and one door, and ends when the owner has come through it."""

from __future__ import annotations

import socket
from pathlib import Path

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vault_hub import folder
from vault_hub.agents import Agents, Standing
from vault_hub.invitation import Invitation, Invitations
from vault_hub.joining import LOCAL, Asked, Joined, doors
from vault_hub.metrics import Metrics
from vault_hub.serving import Server, configured
from vault_protocol.clock import Clock
from vault_protocol.sshsig import PublicKey

log = structlog.get_logger()


def serve(
    home: Path, listening: socket.socket, clock: Clock, *, settings: tuple[str, ...], open_metrics: bool = False
) -> bool:
    """Until an owner joined, or a signal came; whether to go on. `settings`: further lines of hub.toml."""
    server: list[Server] = []

    def admit(invitation: Invitation, asked: Asked) -> Joined:
        joined = found(home, invitation, asked, clock, settings)
        server[0].end()
        return joined

    async def healthy(_request: Request) -> Response:
        return JSONResponse({"ok": True, "waiting": "owner"})

    async def unready(_request: Request) -> Response:
        return JSONResponse({"ok": False, "waiting": "owner"}, 503)

    async def measured(_request: Request) -> Response:
        return Response(Metrics().text(), media_type=Metrics.MEDIA_TYPE)

    joining = doors(Invitations(home / "invitation.json", clock.now), admit, clock.monotonic)
    routes = [*joining.routes, Route("/healthz", healthy), Route("/readyz", unready)]
    app = Starlette(routes=[*routes, Route("/metrics", measured)] if open_metrics else routes)
    server.append(Server(configured(app, connections=64, proxies=["*"]), lambda: None))
    log.info("hub.vacant")
    server[0].run(sockets=[listening])
    return not server[0].signalled and (home / folder.CONFIG).exists()


def found(home: Path, invitation: Invitation, asked: Asked, clock: Clock, settings: tuple[str, ...]) -> Joined:
    """The hub's folder for this owner, their machine and those it finds here. hub.toml comes last."""
    owner_key = PublicKey.parse(asked.owner_key)
    agents = Agents(home / "agents", asked.vault, now=clock.now, monotonic=clock.monotonic)
    (home / "agents").mkdir(parents=True, exist_ok=True, mode=0o700)
    agents.forget_all()
    token = agents.add(LOCAL, Standing.LOCAL, PublicKey.parse(asked.local_key))
    for name, one in invitation.companions.items():
        agents.know(name, Standing.CLOUD, PublicKey.parse(one.key), token_sha256=one.token_sha256)
    folder.make(home, asked.vault, owner_key, settings)
    return Joined(
        vault=asked.vault, token=token, agents={name: one.key for name, one in invitation.companions.items()},
        monitors=invitation.monitors,
    )  # fmt: skip
