"""`python -m tests.prove.dying_local STEP HOME`: the owner's service, killed at this step of its own or of its mail
server."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from unittest import mock

from local_agent.home import Home
from local_agent.serve import serve
from tests.prove.dying import die_at, remote_dying_at
from vault_protocol import connect

SERVER = Path(__file__).parents[1] / "e2e" / "dying_server.py"


def main(step: str, home: str) -> int:
    command = (sys.executable, str(SERVER), step, "--home", home)
    with mock.patch.object(connect, "Remote", remote_dying_at(step)):
        return serve(Home(Path(home)), stop=threading.Event(), servers={"mail": command}, step=die_at(step))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
