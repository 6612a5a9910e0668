"""What the demo's servers share: loopback ports, the ports file, and a quick clean end."""

import asyncio
import json
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from aiosmtpd.smtp import SMTP

from vault_protocol.files import write_whole

LOOPBACK = "127.0.0.1"
LARGEST_MESSAGE_BYTES = 64 * 2**20


def add_serving_options(parser: ArgumentParser) -> None:
    parser.add_argument("--ports-file", type=Path, required=True, help="JSON written when all ports listen")
    parser.add_argument("--exit-with-stdin", action="store_true", help="end when standard input closes")


async def listen_smtp(make_handler: Callable[[], object], port: int, **options: Any) -> asyncio.Server:
    """Serve SMTP on loopback with one new handler per connection; port 0 picks a free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: _Conversation(
            make_handler(),
            hostname="localhost",
            data_size_limit=LARGEST_MESSAGE_BYTES,
            enable_SMTPUTF8=True,
            loop=loop,
            **options,
        ),
        LOOPBACK,
        port,
    )


class _Conversation(SMTP):
    """SMTP whose handler hears of the end of its connection (`closed()`)."""

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        closed = getattr(self.event_handler, "closed", None)
        if closed is not None:
            closed()


async def cut(conversation: SMTP) -> NoReturn:
    """Break the client's connection without an answer; ends when the lost connection cancels the handler."""
    if isinstance(conversation.transport, asyncio.WriteTransport):
        conversation.transport.abort()
    while True:
        await asyncio.Event().wait()


def port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


def announce(ports_file: Path, ports: Mapping[str, int]) -> None:
    """Tell the starter that we are ready."""
    write_whole(ports_file, json.dumps(ports).encode())


async def until_told_to_end(*, watch_stdin: bool) -> None:
    """Return on SIGTERM, on SIGINT, or when the process that holds our standard input is gone."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if watch_stdin:
        loop.add_reader(sys.stdin, ended.set)
    await ended.wait()
