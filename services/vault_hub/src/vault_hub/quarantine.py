"""A pushed pack, looked at in a repository of its own that sees the hub's, and taken apart into its commits.

A pack of a few kilobytes can unfold into anything: everything here ends at a bound of bytes, memory or time.
"""

from __future__ import annotations

import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vault_hub import bounds
from vault_hub.git import environment
from vault_hub.holding import QUARANTINE
from vault_hub.pkt import BadPush
from vault_protocol import wire
from vault_protocol.errors import Refused, UntrustedHead
from vault_protocol.hub import REGULAR, Commit, CommitId
from vault_protocol.store import GitStore
from vault_protocol.wire import Parcel

SECONDS = 30.0
"""For one push, from its pack to its parcels."""

MEMORY = 192 << 20
"""Bytes of address space for the git that unpacks it."""

BOUNDED = (
    "-c", "core.bigFileThreshold=17m", "-c", "core.packedGitWindowSize=16m", "-c", "core.packedGitLimit=64m",
    "-c", "core.deltaBaseCacheLimit=32m", "-c", "pack.threads=1",
)  # fmt: skip


@dataclass(frozen=True)
class Quarantine:
    """`content_bytes`: what the commits of one push may bring once unpacked. `longest`: how many there may be."""

    repository: Path
    content_bytes: int
    longest: int

    def parcels(self, pack: bytes, onto: CommitId | None, new: CommitId) -> list[Parcel]:
        """The commits after `onto` up to `new`, oldest first.

        Raises BadPush for a pack; UntrustedHead for a commit, or Refused where a rule has a name for it.
        """
        deadline = time.monotonic() + SECONDS
        with tempfile.TemporaryDirectory(prefix=QUARANTINE, dir=self.repository / "objects") as folder:
            place = Path(folder) / "quarantine.git"
            store = GitStore(place)
            (place / "objects" / "info").mkdir(exist_ok=True)
            (place / "objects" / "info" / "alternates").write_text(f"{self.repository / 'objects'}\n")
            if pack:
                self._unpack(place, pack, deadline)
                store = GitStore(place)
            return list(self._taken_apart(store, self._line(store, onto, new, deadline), deadline))

    def _line(self, store: GitStore, onto: CommitId | None, new: CommitId, deadline: float) -> list[Commit]:
        """Oldest first. A few bytes of a pack can be a message of megabytes, and a line of a million of them."""
        found: list[Commit] = []
        left = self.content_bytes
        for commit in store.back(new, onto):
            found.append(commit)
            left -= len(commit.message.encode())
            if len(found) > self.longest:
                raise UntrustedHead(new, f"over {self.longest} commits in one push")
            if left < 0:
                raise UntrustedHead(new, f"the push holds over {self.content_bytes} bytes")
            if time.monotonic() > deadline:
                raise UntrustedHead(new, "the push takes too long to look through")
        return found[::-1]

    def _unpack(self, place: Path, pack: bytes, deadline: float) -> None:
        argv = ["git", f"--git-dir={place}", *BOUNDED, "index-pack", "--stdin", "--fix-thin", "--strict"]
        argv += [f"--max-input-size={self.content_bytes}", "--threads=1"]
        with subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment()
        ) as process:
            try:
                # It waits for its input, so it is bounded before it reads a byte of it.
                resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
                _, said = process.communicate(pack, max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                raise BadPush("its pack takes too long to unpack") from None
            except ProcessLookupError:
                said = b""
        if process.returncode != 0:
            lines = said.decode("utf-8", "replace").strip().splitlines() or ["index-pack failed"]
            raise BadPush(lines[-1][:200])

    def _taken_apart(self, store: GitStore, commits: Sequence[Commit], deadline: float) -> Iterator[Parcel]:
        left = self.content_bytes
        for commit in commits:
            parent = commit.parents[0] if commit.parents else None
            changes = store.changes(parent, commit.id)
            if len(changes) > bounds.PATHS:
                raise UntrustedHead(commit.id, f"it touches over {bounds.PATHS} paths")
            for change in changes:
                if change.new is not None and change.mode != REGULAR:
                    raise Refused("mode", change.path, f"mode {change.mode:o}; only plain files (100644) sync")
                left -= len(change.path) + (store.size(change.new) if change.new else 0)
                if left < 0:
                    raise UntrustedHead(commit.id, f"the push holds over {self.content_bytes} bytes")
            yield wire.parcel(store, commit, changes)
            if time.monotonic() > deadline:
                raise UntrustedHead(commit.id, "the push takes too long to look through")
