"""`python ahead.py FILE MODULE ARGUMENTS`: a program whose clocks run ahead by the seconds that FILE holds.

Waits stay what they are: only what the program is told the time is moves, for all that share FILE at once.
"""

from __future__ import annotations

import os
import runpy
import struct
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from importlib.util import find_spec
from pathlib import Path
from typing import Self
from unittest import mock

SECONDS = struct.Struct("d")


def put(file: Path, seconds: float) -> None:
    """In one write of eight bytes: a reader sees the one or the other."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(handle, SECONDS.pack(seconds), 0)
    finally:
        os.close(handle)


def told(clock: Path, argv: Sequence[str]) -> list[str]:
    """The same program as `argv` (`python -m MODULE …`), told the time that `clock` says; others as they are."""
    python, flag, *rest = argv
    return [python, __file__, str(clock), *rest] if flag == "-m" else list(argv)


def main(file: str, module: str, *arguments: str) -> None:
    handle = os.open(file, os.O_RDONLY)

    def ahead() -> float:
        found: float = SECONDS.unpack(os.pread(handle, SECONDS.size, 0))[0]
        return found

    from vault_protocol import clock

    def now(_self: object) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=ahead())

    def monotonic(_self: object) -> float:
        return time.monotonic() + ahead()

    for name, told in (("now", now), ("monotonic", monotonic)):
        mock.patch.object(clock.SystemClock, name, told).start()
    if module.partition(".")[0] == "local_agent" and find_spec("local_agent"):
        _of_local(file, ahead)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _of_local(file: str, ahead: Callable[[], float]) -> None:
    """Its servers are processes of their own, and ask the system what time it is."""
    from local_agent import server_client
    from local_agent.mcp import serving

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(seconds=ahead())

    def command(server: str, home: Path) -> tuple[str, ...]:
        return sys.executable, __file__, file, f"local_agent.mcp.{server}", "--home", str(home)

    mock.patch.object(serving, "datetime", Ahead).start()
    mock.patch.object(server_client, "command", command).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
