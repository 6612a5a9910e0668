"""Serving the page inside the service: sockets bound before anybody is told, one thread, no timer that ticks."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
import uvicorn
from starlette.types import ASGIApp

from vault_protocol.errors import VaultError

log = structlog.get_logger()

LOOPBACK = "127.0.0.1"


class _Quiet(uvicorn.Server):
    """uvicorn looks ten times a second whether it should end; this one is told."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.over = asyncio.Event()

    async def main_loop(self) -> None:
        await self.over.wait()


def bound(host: str, port: int) -> socket.socket:
    """A listening place. Raises VaultError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(64)  # whoever is told the address is answered, if not at once
    except OSError as error:
        made.close()
        raise VaultError(f"the page cannot be served at {host}:{port}: {error.strerror or error}") from None
    return made


def private(host: str) -> str:
    """The address, if only the owner's own network reaches it. Raises VaultError for any other."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise VaultError(f"page_listen: {host} is no address of this machine; give its number") from None
    shared = address.version == 4 and address in ipaddress.ip_network("100.64.0.0/10")
    if address.is_unspecified or address.is_loopback or not (address.is_private or shared):
        raise VaultError(f"page_listen: {host} is not an address of a private network")
    return host


def names(host: str, port: int) -> tuple[str, ...]:
    """As browsers write it into Host."""
    if host == LOOPBACK:
        return f"{LOOPBACK}:{port}", f"localhost:{port}"
    return (f"[{host}]:{port}" if ":" in host else f"{host}:{port}",)


class Listening:
    """A thread with the page on these sockets; the second of them with TLS."""

    def __init__(
        self, app: ASGIApp, sockets: Sequence[tuple[socket.socket, tuple[Path, Path] | None]], end: Callable[[], None]
    ) -> None:
        """Each socket with its key and certificate, or None for plain HTTP; `end` lets open streams go."""
        self._app, self._sockets, self._end = app, sockets, end
        self._loop = asyncio.new_event_loop()
        self._servers: list[_Quiet] = []
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end()
        self._loop.call_soon_threadsafe(self._over)
        self._thread.join(10)
        for opened, _ in self._sockets:
            opened.close()

    def _over(self) -> None:
        for server in self._servers:
            server.over.set()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        for _, tls in self._sockets:
            key, certificate = tls if tls else (None, None)
            config = uvicorn.Config(
                self._app, http="h11", ws="none", lifespan="off", log_config=None, access_log=False,
                server_header=False, date_header=False, proxy_headers=False, timeout_keep_alive=30,
                timeout_graceful_shutdown=2, ssl_keyfile=key, ssl_certfile=certificate,
            )  # fmt: skip
            self._servers.append(_Quiet(config))
        served = zip(self._servers, self._sockets, strict=True)
        await asyncio.gather(*(server.serve(sockets=[opened]) for server, (opened, _) in served))
