"""The hub: a bundle of its repository that seldom changes, one of what came since, and the files of who may write.

A bundle is one compressed file, so a new one every minute would be stored whole every minute. The first is made anew
when the second has grown to a part of it, and after that restic finds it unchanged.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from backup import git
from backup.errors import SourceFailed
from backup.manifest import Manifest, Staged
from backup.settings import Vault
from vault_protocol import layout
from vault_protocol.canonical import utc

KIND = "vault"
MAIN = "refs/heads/main"
FILES = ("hub.toml", "owner.pub")
AGENTS = "agents"
REPOSITORY = "vault.git"
ANEW = 0.5
"""Size of the second bundle, in the first's, from which on the first is made anew."""
SMALL = 256 * 1024
"""Bytes up to which the second may grow whatever the first is."""


class HubSource:
    """Reads the hub's folder while the hub runs. Every method raises SourceFailed."""

    def __init__(self, settings: Vault) -> None:
        self._home = settings.home

    def mark(self) -> str:
        """Changes with every publish, and with every agent that is added, rotated or revoked."""
        return _mark(self._refs(), self._files())

    def stage(self, spool: Path, now: datetime) -> Staged:
        """Copies in `spool`, which keeps the first bundle from one time to the next."""
        files, refs = self._files(), self._refs()
        repository = self._home / REPOSITORY
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        whole, since = spool / "whole.bundle", spool / "since.bundle"
        bundles = self._bundles(refs, whole, since)
        for name, content in files.items():
            copy = spool / "hub" / name
            copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            copy.write_bytes(content)
        for old in sorted((spool / "hub").rglob("*")):
            if old.is_file() and old.relative_to(spool / "hub").as_posix() not in files:
                old.unlink()
        manifest = Manifest(
            kind=KIND, taken=utc(now), mark=_mark(refs, files), facts=facts(repository, refs),
            paths={"hub": str(spool / "hub"), "whole": str(whole), **({"since": str(since)} if bundles > 1 else {})},
        )  # fmt: skip
        made = (manifest.write(spool), spool / "hub", whole, since)[: 2 + bundles]
        return Staged(manifest, made)

    def _bundles(self, refs: dict[str, str], whole: Path, since: Path) -> int:
        """How many there are now; together they hold every ref as it is in `refs`."""
        known = whole.with_suffix(".refs")
        before = _read(known) if whole.exists() else {}
        if before == refs:
            return 1
        repository = git.view(self._home / REPOSITORY, refs, whole.with_name("view.git"))
        if MAIN in before and git.is_ancestor(repository, before[MAIN], refs[MAIN]):
            fresh = since.with_suffix(".tmp")
            # Nothing new, or what the first held is gone from the hub: git refuses, and the first is made anew.
            with suppress(SourceFailed):
                git.bundle(repository, fresh, without=tuple(sorted({*before.values()})))
                if fresh.stat().st_size <= max(SMALL, whole.stat().st_size * ANEW):
                    fresh.replace(since)
                    return 2
        fresh = whole.with_suffix(".tmp")
        known.unlink(missing_ok=True)
        git.bundle(repository, fresh)
        fresh.replace(whole)
        known.write_text(json.dumps(refs), encoding="utf-8")
        return 1

    def _refs(self) -> dict[str, str]:
        if not (self._home / REPOSITORY).is_dir():
            raise SourceFailed(f"{self._home} holds no vault yet; it begins when the owner's machine joins")
        found = git.refs(self._home / REPOSITORY)
        if MAIN not in found:
            raise SourceFailed(f"{self._home / REPOSITORY} has no {MAIN} yet; `countersign init` begins it")
        return found

    def _files(self) -> dict[str, bytes]:
        try:
            names = [*FILES, *(f"{AGENTS}/{one.name}" for one in (self._home / AGENTS).glob("*.json"))]
            return {name: (self._home / name).read_bytes() for name in sorted(names)}
        except OSError as error:
            raise SourceFailed(f"{error.filename}: {error.strerror}") from None


def facts(repository: Path, refs: dict[str, str]) -> dict[str, Any]:
    """Head, number of commits, and tasks by stage: what a restored vault has to have."""
    head = refs[MAIN]
    places = (layout.place_of(path) for path in git.names(repository, head))
    stages = Counter(place.stage.value for place in places if place is not None)
    return {"head": head, "commits": git.count(repository, head), "tasks": dict(sorted(stages.items()))}


def _mark(refs: dict[str, str], files: dict[str, bytes]) -> str:
    seen = hashlib.sha256()
    for name, id_ in sorted(refs.items()):
        seen.update(f"{id_} {name}\n".encode())
    for name, content in files.items():
        seen.update(f"{name}\n".encode() + hashlib.sha256(content).digest())
    return seen.hexdigest()


def _read(known: Path) -> dict[str, str]:
    try:
        return dict(json.loads(known.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
