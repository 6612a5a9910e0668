"""Somebody has Cloud's machine: its key, its token, and git. What a `git push` over HTTP gets them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from demo.commands import DemoFailed, run
from demo.hub_machine import HubMachine
from vault_protocol import changeset, keys, layout, notes
from vault_protocol.follow import Follower
from vault_protocol.hub import Change, CommitId, Edits, blob_id
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Stage, Task

CLOUD = AgentId("cloud")

HELPER = """!f() { echo username=cloud; echo "password=$(cat "$TOKEN_FILE")"; }; f"""
"""A credential helper, so that the token stands in no argument and no address."""


@dataclass(frozen=True)
class Push:
    """What was pushed, the path it was after, and git's own word on it."""

    commit: CommitId
    path: str
    said: str


@dataclass(frozen=True)
class Intruder:
    """Everything Cloud has. Clones into `folder`, and pushes from there."""

    machine: HubMachine
    vault: str
    cloud_home: Path
    folder: Path

    def approve(self, task: Task) -> Push:
        """Push the move to Approved that only the owner may make, signed and numbered as Cloud's own changesets are."""
        approved, content = notes.write(task.evolve(stage=Stage.APPROVED))
        return self.push({layout.path_of(task): None, approved: content}, approved)

    def push(self, edits: Edits, path: str) -> Push:
        """Raises DemoFailed when the hub took it."""
        address = f"{self.machine.address}/vault.git"
        self._git("clone", "--quiet", "--bare", address, str(self.folder))
        store = GitStore(self.folder)
        follower = Follower(store, self.vault)
        follower.advance(store.ref("refs/heads/main"))
        head = follower.view.head
        if head is None:
            raise DemoFailed("the clone is empty")
        changes = [
            Change(path, store.blob_id(head, path), blob_id(new) if new else None) for path, new in edits.items()
        ]
        trail = follower.view.trails[CLOUD]
        unsigned = changeset.next_in(trail, vault=self.vault, agent=CLOUD, verb="approve", attempt=0, changes=changes)
        message = unsigned.message("as it likes", keys.load(self.cloud_home / "keys" / "cloud"))
        commit = store.commit(head, edits, message=message, author=CLOUD, at=datetime.now(UTC))
        store.keep()  # git sends from the disk
        try:
            self._git(f"--git-dir={self.folder}", "push", address, f"{commit}:refs/heads/main")
        except DemoFailed as error:
            lines = [line.strip() for line in str(error).splitlines() if "[remote rejected]" in line]
            if lines:
                return Push(commit, path, lines[0])
            raise
        raise DemoFailed("the hub took a push that no rule allows")

    def _git(self, *arguments: str) -> str:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder.parent), "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "TOKEN_FILE": str(self.cloud_home / "hub-token"),
        }  # fmt: skip
        return run(["git", "-c", f"credential.helper={HELPER}", *arguments], env=environment)
