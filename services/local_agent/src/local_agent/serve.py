"""`countersign run`: the service with its MCP client, its signer and its control socket, until told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from local_agent.assemble import Local, assemble
from local_agent.control import ControlServer, Handler
from local_agent.home import Home
from local_agent.presence import Presence
from local_agent.server_client import Servers
from local_agent.service import Service, run
from local_agent.signers import Signer, signer
from vault_protocol import disk, memory
from vault_protocol.canonical import utc
from vault_protocol.errors import DiskTrouble

if TYPE_CHECKING:
    from local_agent.approvals.hosting import Hosted

log = structlog.get_logger()

LOOK_FOR_ROOM = 5.0
"""Seconds between two tries to begin on a full disk."""


def serve(
    home: Home, *, stop: threading.Event, servers: Mapping[str, Sequence[str]] | None = None,
    step: Callable[[str], None] = lambda name: None,
) -> int:  # fmt: skip
    """Serve this home. `servers`: the argv of an MCP server by its name; `step` is told the executor's steps.

    A disk that is too full to begin on is waited for.
    """
    while not stop.is_set():
        try:
            with disk.watched(home.path), _assembled(home, servers, step) as (service, look_again):
                memory.settle()
                run(service, stop, look_again)
        except DiskTrouble as error:
            log.error("disk.trouble", reason=str(error))
            stop.wait(LOOK_FOR_ROOM)
    return 0


@contextmanager
def _assembled(
    home: Home, servers: Mapping[str, Sequence[str]] | None, step: Callable[[str], None]
) -> Iterator[tuple[Service, threading.Event]]:
    """The service, answering its owner, and the event by which they ask it to look."""
    local = assemble(home)
    sign = signer(home, local.settings, local.clock)
    server = Servers(home.path, servers)
    look_again, made = threading.Event(), list[Service]()
    hosted = _hosted(local, sign, look_again) if local.settings.page else None
    handlers = {
        **_handlers(sign, made, look_again, local.settings.unlock_minutes),
        **(hosted.handlers() if hosted else {}),
    }
    control = ControlServer(home.socket, handlers)
    control.start()
    presence = Presence(home, local.settings, local.clock)
    try:
        moved = hosted.page.live.tell if hosted else (lambda: None)
        made.append(Service(local, server, sign.sign, step=step, presence=presence, moved=moved))
        presence.start()
        if hosted:
            hosted.start()
        try:
            yield made[0], look_again
        finally:
            if hosted:
                hosted.stop()
            made[0].close()
    finally:
        presence.stop()
        control.stop()
        server.close()
        local.vault.journal.hub.close()


def _hosted(local: Local, sign: Signer, look_again: threading.Event) -> Hosted:
    """The page looks for originals by itself only where this service has not; its judge is the service's."""
    from local_agent.approvals.hosting import Hosted  # the web server, which a home without a page does not load

    return Hosted(local, sign, lambda: local.judge, look_again.set)


def _handlers(sign: Signer, made: Sequence[Service], look_again: threading.Event, minutes: int) -> dict[str, Handler]:
    def unlock(request: dict[str, Any]) -> dict[str, Any]:
        until = sign.unlock(request.get("passphrase"), float(request.get("minutes") or minutes))
        look_again.set()
        return {"until": utc(until)}

    def lock(_request: dict[str, Any]) -> dict[str, Any]:
        sign.lock()
        return {}

    def status(_request: dict[str, Any]) -> dict[str, Any]:
        until = sign.until()
        trouble = made[0].disk_trouble if made else ""
        return {"unlocked_until": utc(until) if until else None, "disk": trouble or "ok"}

    def poke(_request: dict[str, Any]) -> dict[str, Any]:
        look_again.set()
        return {}

    return {"unlock": unlock, "lock": lock, "status": status, "poke": poke}
