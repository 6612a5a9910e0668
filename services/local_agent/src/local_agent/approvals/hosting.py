"""The page as a part of `countersign run`: put together, served, and what its owner asks of it by command."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from local_agent.approvals import certificate
from local_agent.approvals.app import app
from local_agent.approvals.listen import LOOPBACK, Listening, bound, names, private
from local_agent.approvals.page import Page
from local_agent.approvals.pairing import grouped
from local_agent.assemble import Local
from local_agent.control import Handler
from local_agent.judge import Judge
from local_agent.signers import Signer
from vault_protocol.errors import VaultError

log = structlog.get_logger()


class Hosted:
    """The page of one running service; a place that is taken is said, and the service goes on without it."""

    def __init__(self, local: Local, sign: Signer, judge: Callable[[], Judge], poke: Callable[[], None]) -> None:
        self.page = Page(local.home, local.settings, local.clock, sign, judge, poke, local.executor)
        self.trouble = ""
        self.addresses: list[str] = []
        self._fingerprint = ""
        self._listening: Listening | None = None

    def start(self) -> None:
        settings = self.page.settings
        sockets: list[tuple[socket.socket, tuple[Path, Path] | None]] = []
        hosts: list[str] = []
        try:
            sockets.append((bound(LOOPBACK, settings.page_port), None))
            port = sockets[0][0].getsockname()[1]
            hosts += names(LOOPBACK, port)
            self.addresses.append(f"http://{LOOPBACK}:{port}")
            if settings.page_listen:
                host = private(settings.page_listen)
                key, cert = certificate.kept(self.page.home, host, self.page.clock.now())
                sockets.append((bound(host, port), (key, cert)))
                hosts += names(host, port)
                self.addresses.append(f"https://{names(host, port)[0]}")
                self._fingerprint = certificate.fingerprint(cert)
        except VaultError as error:
            self.trouble = str(error)
            log.warning("page.trouble", reason=self.trouble)
            if not sockets:
                return
        self._listening = Listening(app(self.page, hosts), sockets, self.page.live.end)
        self._listening.start()

    def stop(self) -> None:
        if self._listening is not None:
            self._listening.stop()

    def handlers(self) -> Mapping[str, Handler]:
        """What `countersign page` asks over the control socket."""
        return {"page": self._where, "page-pair": self._pair, "page-revoke": self._revoke}

    def _where(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Where it is served, who is paired, and a question to sign for whoever wants a code."""
        devices = [
            {"id": one.id, "name": one.name, "paired": one.paired, "expires": one.expires}
            for one in self.page.devices.all()
        ]
        return {
            "addresses": self.addresses, "fingerprint": self._fingerprint, "trouble": self.trouble,
            "devices": devices, "challenge": self.page.pairing.challenge(), "executor": self.page.executor,
        }  # fmt: skip

    def _pair(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"code": grouped(self.page.pairing.code(str(request.get("signature", ""))))}

    def _revoke(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"name": self.page.devices.revoke(str(request.get("device", ""))).name}
