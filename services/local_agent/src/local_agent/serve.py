"""`countersign run`: the service with its MCP client, its signer and its control socket, until told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from local_agent.assemble import assemble
from local_agent.control import ControlServer, Handler
from local_agent.home import Home
from local_agent.mail_client import MailClient, command
from local_agent.service import Service, run
from local_agent.signers import Signer, signer
from vault_protocol.canonical import utc


def serve(
    home: Home, *, stop: threading.Event, mail_server: Sequence[str] | None = None,
    step: Callable[[str], None] = lambda name: None,
) -> int:  # fmt: skip
    """Serve this home. `mail_server`: the argv of the mail MCP server; `step` is told the executor's steps."""
    local = assemble(home)
    sign = signer(home, local.settings, local.clock)
    server = MailClient(mail_server or command(home.path))
    look_again = threading.Event()
    control = ControlServer(home.socket, _handlers(sign, look_again, local.settings.unlock_minutes))
    control.start()
    try:
        service = Service(local, server, sign.sign, step=step)
        try:
            run(service, stop, look_again)
        finally:
            service.close()
    finally:
        control.stop()
        server.close()
    return 0


def _handlers(sign: Signer, look_again: threading.Event, minutes: int) -> dict[str, Handler]:
    def unlock(request: dict[str, Any]) -> dict[str, Any]:
        until = sign.unlock(request.get("passphrase"), float(request.get("minutes") or minutes))
        look_again.set()
        return {"until": utc(until)}

    def lock(_request: dict[str, Any]) -> dict[str, Any]:
        sign.lock()
        return {}

    def status(_request: dict[str, Any]) -> dict[str, Any]:
        until = sign.until()
        return {"unlocked_until": utc(until) if until else None}

    def poke(_request: dict[str, Any]) -> dict[str, Any]:
        look_again.set()
        return {}

    return {"unlock": unlock, "lock": lock, "status": status, "poke": poke}
