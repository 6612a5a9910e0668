"""The git program, on the hub's repository: what its refs are, and bundles of it. It is only read."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from backup.errors import SourceFailed

TIMEOUT = 900.0
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def run(repository: Path, *words: str) -> str:
    """What git said. Blind to the settings of who runs us, and to a caller's variables. Raises SourceFailed."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent", "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0",
    }  # fmt: skip
    # The hub runs as another user; without this git refuses to read what is not the caller's own.
    argv = ["git", "-c", f"safe.directory={repository}", f"--git-dir={repository}", *words]
    try:
        done = subprocess.run(
            argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace",
            check=False, timeout=TIMEOUT,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceFailed(f"git {words[0]}: {type(error).__name__}") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
        raise SourceFailed(f"git {words[0]}: {said[-1][:300]}")
    return done.stdout


def refs(repository: Path) -> dict[str, str]:
    """Every ref and what it points to."""
    lines = run(repository, "for-each-ref", "--format=%(objectname) %(refname)").splitlines()
    return {name: id_ for id_, _, name in (line.partition(" ") for line in lines)}


def view(repository: Path, refs: Mapping[str, str], folder: Path) -> Path:
    """A repository whose refs stand still, over the objects of one that is written to: a bundle leaves out each ref
    that moves while it is made. Objects are borrowed, none is copied."""
    (folder / "objects" / "info").mkdir(parents=True, exist_ok=True)
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "objects" / "info" / "alternates").write_text(f"{repository.resolve() / 'objects'}\n", encoding="utf-8")
    (folder / "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")
    lines = (f"{id_} {name}\n" for name, id_ in sorted(refs.items()))
    (folder / "packed-refs").write_text("# pack-refs with: sorted \n" + "".join(lines), encoding="utf-8")
    return folder


def bundle(repository: Path, file: Path, *, without: tuple[str, ...] = ()) -> None:
    """Everything that the refs reach, but what `without` reaches. Raises SourceFailed, also when that is nothing."""
    run(repository, "bundle", "create", "--quiet", str(file), "--all", *(f"^{known}" for known in without))


def fetch(repository: Path, bundle: Path) -> None:
    """Take every ref of a bundle in. Raises SourceFailed when it is not whole, or needs what is not here."""
    run(repository, "fetch", "--quiet", "--no-tags", "--no-auto-maintenance", str(bundle), "+refs/*:refs/*")


def names(repository: Path, commit: str) -> list[str]:
    """Every path at a commit."""
    return run(repository, "ls-tree", "-r", "-z", "--name-only", commit).split("\0")[:-1]


def count(repository: Path, commit: str) -> int:
    return int(run(repository, "rev-list", "--count", commit))


def is_ancestor(repository: Path, old: str, new: str) -> bool:
    if not (_ID.fullmatch(old) and _ID.fullmatch(new)):
        return False
    try:
        run(repository, "merge-base", "--is-ancestor", old, new)
    except SourceFailed:
        return False
    return True
