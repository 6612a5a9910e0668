"""A process with several agents that claim until nothing waits: `python claimer.py HUB FOLDER AGENT…`.

HUB is a resident hub for an agent whose AGENT.token lies in FOLDER.

Prints one JSON object: agent → the tasks it believes it owns, in the order it claimed them.
"""

import json
import sys
from pathlib import Path

from libs.vault_protocol.tests.made import agent

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


def main(hub: str, folder: str, *names: str) -> None:
    mine: dict[str, list[str]] = {name: [] for name in names}
    agents = [(name, vault(hub, Path(folder), name)) for name in names]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    while agents:
        for name, opened in list(agents):
            try:
                claimed = opened.claim_next(Domain)
            except HubUnreachable:  # so many heads went by: an agent comes back
                opened.refresh()
                continue
            if claimed is None:
                agents.remove((name, opened))
            else:
                mine[name].append(claimed.id)
    json.dump(mine, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
