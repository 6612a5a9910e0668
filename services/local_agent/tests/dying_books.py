"""The service (`STEP HOME`) or its books server (`STEP --home HOME`), killed when a named step is reached."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from local_agent.home import Home
from local_agent.mcp import books
from local_agent.serve import serve


def service(step: str, home: str) -> int:
    """Killed at one of its own steps, or with its books server at one of that."""

    def die_at(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    command = (sys.executable, __file__, step, "--home", home)
    return serve(Home(Path(home)), stop=threading.Event(), servers={"books": command}, step=die_at)


def server(step: str, arguments: list[str]) -> int:
    """As when the machine loses power: the service goes with it."""

    def die_at(name: str) -> None:
        if name == step:
            os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

    return books.main(arguments, reached=die_at)


if __name__ == "__main__":
    chosen, *rest = sys.argv[1:]
    sys.exit(server(chosen, rest) if rest[0] == "--home" else service(chosen, rest[0]))
