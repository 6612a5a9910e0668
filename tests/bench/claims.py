"""One claim with its publish, by us and by what else could do it, each on a hub of its own that fsyncs all."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import git

from tests.bench import vaults
from tests.bench.rows import Row, interleaved, milliseconds
from vault_protocol.files import write_whole
from vault_protocol.task import Domain, Stage
from vault_protocol.vault import Vault

WRITTEN = 1500
"""Bytes of a claim on its way: a note, three trees and a commit, deflated."""


def claims(size: int, folder: Path, *, quick: bool = False) -> Row:
    """Ours against GitPython's index and the git program; the floor is the same bytes and the ref, both durable."""
    template = vaults.hub(folder / "template.git", size)
    ours = _Ours(copied(template, folder / "ours"), folder / "ours")
    cli = Cli(copied(template, folder / "cli"), folder / "cli")
    gitpython = GitPython(copied(template, folder / "gitpython"), folder / "gitpython")
    floor = _Floor(folder / "floor")
    rounds = 2 if quick else 11
    slow = (
        {} if size <= 1000 else {"gitpython_index": 7 if size <= 10_000 else 3, "git_cli": 9 if size <= 10_000 else 4}
    )
    found = interleaved(
        {"ours": ours.claim, "gitpython_index": gitpython.claim, "git_cli": cli.claim, "floor": floor.claim},
        rounds, fewer=slow,
    )  # fmt: skip
    peers = {name: found[name] for name in ("gitpython_index", "git_cli")}
    return Row(f"claim_{size}", "ms", found["ours"], found["floor"], peers)


class _Ours:
    """Picks the most urgent of all that wait, judges, signs, publishes, and reads back that it is the owner."""

    def __init__(self, hub: Path, folder: Path) -> None:
        self._vault: Vault = vaults.vault(hub, folder)

    def claim(self) -> float:
        return milliseconds(self._claim)

    def _claim(self) -> None:
        task = self._vault.claim_next(Domain)
        assert task is not None
        assert task.stage is Stage.IN_PROGRESS


class Worktree:
    """A clone with a worktree, and the next waiting note in it."""

    def __init__(self, hub: Path, folder: Path) -> None:
        self.path = folder / "worktree"
        subprocess.run(["git", "clone", "--quiet", str(hub), str(self.path)], check=True)
        self._waiting = iter(sorted(path.name for path in (self.path / "Needs_Action" / "email").iterdir()))
        (self.path / "In_Progress" / "peer").mkdir(parents=True)

    def next(self) -> tuple[str, str]:
        name = next(self._waiting)
        return f"Needs_Action/email/{name}", f"In_Progress/peer/{name}"


class GitPython(Worktree):
    def __init__(self, hub: Path, folder: Path) -> None:
        super().__init__(hub, folder)
        self._repository = git.Repo(self.path)

    def claim(self) -> float:
        old, new = self.next()

        def act() -> None:
            index = self._repository.index
            index.move([old, new])
            index.commit("claim")
            self._repository.remotes.origin.push("HEAD:refs/heads/main").raise_if_error()

        return milliseconds(act)


class Cli(Worktree):
    def claim(self) -> float:
        old, new = self.next()

        def act() -> None:
            self._git("mv", old, new)
            self._git("commit", "--quiet", "-m", "claim")
            self._git("push", "--quiet", "origin", "HEAD:refs/heads/main")

        return milliseconds(act)

    def _git(self, *argv: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=peer", "-c", "user.email=peer@bench.invalid", *argv], cwd=self.path, check=True
        )


class _Floor:
    """What any hub has to do before it may answer: the objects on disk, then the ref."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder, self._claims = folder, 0

    def claim(self) -> float:
        self._claims += 1

        def act() -> None:
            write_whole(self._folder / f"{self._claims}.pack", os.urandom(WRITTEN))
            write_whole(self._folder / "main", b"0" * 41)

        return milliseconds(act)


def copied(template: Path, folder: Path) -> Path:
    folder.mkdir()
    shutil.copytree(template, folder / "hub.git")
    return folder / "hub.git"
