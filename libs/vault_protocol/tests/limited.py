"""`python -m libs.vault_protocol.tests.limited FOLDER`: a store, a base and a checkpoint while no file may grow.

Says what each of them says, a line each, and "well" for each once files may grow again.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from libs.vault_protocol.tests import made

from vault_protocol import disk
from vault_protocol.clock import SystemClock
from vault_protocol.errors import DiskTrouble
from vault_protocol.hub import CommitId
from vault_protocol.journal import Journal
from vault_protocol.mirror.base import Base, Record
from vault_protocol.store import GitStore
from vault_protocol.testing import MemoryHub, MemoryStore
from vault_protocol.vault import Vault

BYTES = b"x" * 9000
PATH = "Company_Handbook.md"


def main(folder: Path) -> None:
    store, base = GitStore(folder / "clone.git"), Base(folder / "mirror.sqlite")
    memory = MemoryStore()
    journal = Journal(memory, MemoryHub(memory), made.LOCAL, SystemClock(), checkpoint=folder / "followed.json")
    vault, tasks = Vault(journal), iter((made.task(1), made.task(2)))

    def commit() -> None:
        edits = {PATH: BYTES}
        store.commit(None, edits, message="by a test", author=made.LOCAL.agent, at=datetime(2026, 11, 23, tzinfo=UTC))
        store.keep()

    def record() -> None:
        with base.saving(durable=True):
            base.put(PATH, Record(None, "d" * 64))
            base.reflect(CommitId("c" * 40))
        assert PATH in base.records

    def publish() -> None:
        assert vault.add(next(tasks)), "it is on the hub, whatever the checkpoint says"

    def follow() -> None:
        vault.refresh()

    acts: tuple[Callable[[], None], ...] = (commit, record, publish, follow)
    for limit in (0, resource.RLIM_INFINITY):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        for act in acts:
            try:
                with disk.watched(folder):
                    act()
            except DiskTrouble as error:
                print(act.__name__, str(error).replace(str(folder), "FOLDER"))
            else:
                print(act.__name__, "well")
        assert (PATH in base.records) == (limit != 0), "memory and disk differ"
    base.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
