"""`python -m tests.prove.one_publish HUB HOME NUMBER`: on a line of input, publish the task with this number.

HUB is a resident hub when HOME holds a `token`, else a git remote.
Says "ready" before, and afterwards how many seconds that took. Exit code 4: the hub was not there, or the disk full.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from libs.vault_protocol.tests import made

from vault_protocol import disk
from vault_protocol.clock import SystemClock
from vault_protocol.connect import connect
from vault_protocol.errors import DiskTrouble, HubUnreachable
from vault_protocol.journal import Journal
from vault_protocol.store import GitStore
from vault_protocol.vault import Vault


def open_vault(hub: str, home: Path) -> Vault:
    store, token = GitStore(home / "clone.git"), home / "token"
    way = connect(store, hub, token_file=token if token.exists() else None)
    return Vault(Journal(store, way, made.CLOUD, SystemClock(), trust=made.TRUST, checkpoint=home / "followed.json"))


def main(hub: str, home: str, number: str) -> int:
    task = made.task(int(number))
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.monotonic()
    try:
        with disk.watched(home):
            vault = open_vault(hub, Path(home))
            vault.refresh()
            vault.add(task)
    except (HubUnreachable, DiskTrouble):
        return 4
    print(time.monotonic() - begun, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
