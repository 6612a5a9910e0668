"""The service (`SERVER STEP HOME`) or one of its servers (`SERVER STEP --home HOME`), killed at a named step."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from pathlib import Path

from local_agent.home import Home
from local_agent.serve import serve


def service(server: str, step: str, home: str) -> int:
    """Killed at one of its own steps, or with this server of it at one of that."""

    def die_at(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    command = (sys.executable, __file__, server, step, "--home", home)
    return serve(Home(Path(home)), stop=threading.Event(), servers={server: command}, step=die_at)


def dying(server: str, step: str, arguments: list[str]) -> int:
    """As when the machine loses power: the service goes with it."""

    def die_at(name: str) -> None:
        if name == step:
            os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

    return int(importlib.import_module(f"local_agent.mcp.{server}").main(arguments, reached=die_at))


if __name__ == "__main__":
    which, chosen, *rest = sys.argv[1:]
    sys.exit(dying(which, chosen, rest) if rest[0] == "--home" else service(which, chosen, rest[0]))
