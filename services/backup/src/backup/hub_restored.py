"""A hub's folder made again from a snapshot, and what proves that it is the one that was backed up."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backup import git, hub_source
from backup.errors import BackupError, NotProven
from backup.fetched import Fetched
from backup.hub_keys import trust_of
from backup.hub_source import AGENTS, MAIN, REPOSITORY
from vault_protocol import keys, remote
from vault_protocol.doctor import Finding, examine, fsck
from vault_protocol.files import sync_folder, write_private
from vault_protocol.hub import CommitId
from vault_protocol.store import GitStore


@dataclass(frozen=True)
class Proof:
    """What was counted in a restored vault."""

    head: str
    commits: int
    tasks: int
    findings: tuple[Finding, ...]
    later: int
    """Commits that it has beyond what the manifest says: those of the moment between looking and copying."""


def build(fetched: Fetched, home: Path) -> None:
    """The folder `home`, which must not be there. Whole or not at all. Raises BackupError."""
    if home.exists():
        raise BackupError(f"{home} is there already; move it away first, nothing is ever restored over it")
    fresh = home.with_name(f".{home.name}.restoring")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    repository = fresh / REPOSITORY
    remote.create(repository)
    for role in ("whole", "since"):
        bundle = fetched.optional(role)
        if bundle is not None:
            git.fetch(repository, bundle)
    kept = fetched.part("hub")
    for file in sorted(kept.rglob("*")):
        if file.is_file():
            write_private(fresh / file.relative_to(kept), file.read_bytes())
    (fresh / AGENTS).mkdir(exist_ok=True, mode=0o700)
    fresh.rename(home)
    sync_folder(home.parent)


def prove(fetched: Fetched, home: Path) -> Proof:
    """Count again, and let the doctor look. Raises NotProven when it is not what the manifest says."""
    repository, wanted = home / REPOSITORY, fetched.manifest.facts
    head = git.refs(repository).get(MAIN, "")
    told = str(wanted.get("head", ""))
    if not git.is_ancestor(repository, told, head):
        raise NotProven(f"the vault's head was {told[:12]}; what was restored ends at {head[:12] or 'nothing'}")
    found = hub_source.facts(repository, {MAIN: told})
    if found != wanted:
        raise NotProven(f"the vault had {_shown(wanted)}, what was restored has {_shown(found)}")
    trust, owner = trust_of(home), keys.load_public(home / "owner.pub")
    store = GitStore(repository)
    findings = (*fsck(repository), *examine(store, CommitId(head), trust=trust, approval_key=owner))
    commits = git.count(repository, head)
    return Proof(head, commits, sum(found["tasks"].values()), findings, commits - int(found["commits"]))


def _shown(facts: dict[str, Any]) -> str:
    return f"{facts.get('commits')} commits and tasks {facts.get('tasks')}"
