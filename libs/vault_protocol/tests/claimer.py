"""A process with several agents that claim so many at once until nothing waits: `claimer.py HUB FOLDER MOST AGENT…`.

HUB is a resident hub for an agent whose AGENT.token lies in FOLDER.

Prints one JSON object: agent → the tasks it believes it owns, in the order it claimed them.
"""

import json
import sys
from pathlib import Path

from libs.vault_protocol.tests.made import agent

from vault_protocol import memory
from vault_protocol.clock import SystemClock
from vault_protocol.connect import connect
from vault_protocol.errors import HubUnreachable
from vault_protocol.follow import Trust
from vault_protocol.journal import Journal
from vault_protocol.sshsig import PublicKey
from vault_protocol.store import GitStore
from vault_protocol.task import Domain, Role
from vault_protocol.vault import Vault

AGENTS = {f"cloud-{number}": agent(f"cloud-{number}", Role.CLOUD, number) for number in range(1, 9)}
ADDER = agent("local", Role.LOCAL, 9)
TRUST = Trust(ADDER.vault, {one.agent: (one.role, PublicKey.of(one.key)) for one in (*AGENTS.values(), ADDER)})


def vault(hub: str, folder: Path, name: str) -> Vault:
    store, token = GitStore(folder / f"{name}.git"), folder / f"{name}.token"
    way = connect(store, hub, token_file=token if token.exists() else None)
    journal = Journal(store, way, AGENTS.get(name, ADDER), SystemClock(), trust=TRUST)
    opened = Vault(journal)
    opened.refresh()
    return opened


def main(hub: str, folder: str, most: str, *names: str) -> None:
    mine: dict[str, list[str]] = {name: [] for name in names}
    agents = [(name, vault(hub, Path(folder), name)) for name in names]
    memory.settle()  # as the agent's program does
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    while agents:
        for name, opened in list(agents):
            try:
                claimed = opened.claim(Domain, int(most))
            except HubUnreachable:  # so many heads went by: an agent comes back
                opened.refresh()
                continue
            mine[name] += [task.id for task in claimed]
            if not claimed:
                agents.remove((name, opened))
    json.dump(mine, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
