"""The mail MCP server, and with it the service that started it, killed when a named step is reached."""

from __future__ import annotations

import os
import signal
import sys

from local_agent.mcp.mail import main


def die_at(step: str) -> None:
    """SIGKILL to the parent and to ourselves, as when the machine loses power."""
    if step == sys.argv[1]:
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], reached=die_at))
