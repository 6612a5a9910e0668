"""`python -m tests.prove.pushing_cloud CONFIG`: the cloud agent, which tells who is to be killed while it pushes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cloud_agent import __main__ as agent
from cloud_agent import settings


def main(config: str) -> None:
    given = settings.read(Path(config))
    given.state_dir.mkdir(parents=True, exist_ok=True)
    (given.state_dir / "agent.pid").write_text(str(os.getpid()), encoding="ascii")
    agent.run(given, agent.drafter_of(given))


if __name__ == "__main__":
    main(*sys.argv[1:])
