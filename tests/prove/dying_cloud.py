"""`python -m tests.prove.dying_cloud STEP CONFIG`: the cloud agent, killed at this step."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest import mock

from cloud_agent import __main__ as agent
from cloud_agent import settings
from tests.prove.dying import die_at, remote_dying_at
from vault_protocol import connect


def main(step: str, config: str) -> None:
    given = settings.read(Path(config))
    with mock.patch.object(connect, "Remote", remote_dying_at(step)):
        agent.run(given, agent.drafter_of(given), step=die_at(step))


if __name__ == "__main__":
    main(*sys.argv[1:])
