"""A hub that agents write to, and its copies as a snapshot would bring them back: without restic."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from libs.vault_protocol.tests.made import CLOUD, LOCAL, task
from services.vault_hub.tests.hubworld import HubWorld

from backup.fetched import Fetched
from backup.hub_source import HubSource
from backup.manifest import Staged
from backup.messages import Snapshot
from backup.settings import Vault
from vault_protocol.vault import Vault as Copy


@dataclass
class HubInUse:
    """`written` is how many tasks there are."""

    world: HubWorld
    written: int = 0
    copies: dict[str, Copy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lines = ['vault = "vault-1"', 'repository = "vault.git"', 'agents_dir = "agents"', 'state_dir = "state"',
                 'owner_key_file = "owner.pub"', ""]  # fmt: skip
        (self.home / "hub.toml").write_text("\n".join(lines), encoding="utf-8")
        self.world.begin()

    @property
    def home(self) -> Path:
        return self.world.running.folder

    @property
    def source(self) -> HubSource:
        return HubSource(Vault(home=self.home))

    @property
    def spool(self) -> Path:
        return self.world.folder / "spool"

    def write(self, count: int = 1) -> None:
        cloud = self.copies.setdefault(CLOUD.agent, self.copies.get(CLOUD.agent) or self.world.vault(CLOUD))
        for _ in range(count):
            cloud.add(task(self.written))
            self.written += 1

    def local(self) -> Copy:
        return self.world.vault(LOCAL, "local-now")

    def stage(self, now: datetime) -> Staged:
        return self.source.stage(self.spool, now)


def brought_back(staged: Staged, target: Path) -> Fetched:
    """What restic would give: every path of the snapshot below the target."""
    for path in staged.paths:
        at = target / str(path).lstrip("/")
        at.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, at)
        else:
            shutil.copy2(path, at)
    snapshot = Snapshot(id="0" * 64, time=staged.manifest.moment, paths=tuple(map(str, staged.paths)), tags=("vault",))
    return Fetched(snapshot, target, staged.manifest)
