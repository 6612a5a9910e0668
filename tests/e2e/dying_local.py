"""local_agent's service, killed at a named step: its own, or one of the mail server it starts."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from local_agent.home import Home
from local_agent.serve import serve

SERVER = Path(__file__).with_name("dying_server.py")


def main(step: str, home: str) -> int:
    def die_at(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    command = (sys.executable, str(SERVER), step, "--home", home)
    return serve(Home(Path(home)), stop=threading.Event(), servers={"mail": command}, step=die_at)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
