"""A snapshot brought back into a folder, and its parts by what they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from backup import manifest as manifests
from backup.errors import NothingThere
from backup.manifest import Manifest
from backup.messages import Snapshot, newest
from backup.restic import Restic


@dataclass(frozen=True)
class Fetched:
    """`target` is the folder below which every path of the snapshot lies as it lay on its machine."""

    snapshot: Snapshot
    target: Path
    manifest: Manifest

    def part(self, role: str) -> Path:
        """Raises NothingThere."""
        path = self.optional(role)
        if path is None:
            raise NothingThere(f"snapshot {self.snapshot.id[:8]} has no {role}")
        return path

    def optional(self, role: str) -> Path | None:
        named = self.manifest.paths.get(role)
        path = _below(self.target, named) if named else None
        return path if path is not None and path.exists() else None


def choose(restic: Restic, kind: str, *, before: datetime | None = None, id_: str | None = None) -> Snapshot:
    """The newest of its kind, or the newest `before` a moment, or the one whose id begins so. Raises NothingThere."""
    found = [one for one in restic.snapshots() if before is None or one.time <= before]
    named = [one for one in found if one.kind == kind and (id_ is None or one.id.startswith(id_))]
    one = newest(named, kind)
    if one is None:
        raise NothingThere(f"there is no snapshot of {kind}" + (" that old or of that id" if before or id_ else ""))
    return one


def fetch(restic: Restic, snapshot: Snapshot, target: Path) -> Fetched:
    """Raises ResticFailed, NothingThere."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    restic.restore(snapshot.id, target)
    named = [path for path in snapshot.paths if path.endswith(f"/{manifests.NAME}")]
    if len(named) != 1:
        raise NothingThere(f"snapshot {snapshot.id[:8]} was not made by this program: it has no manifest")
    found = manifests.read(_below(target, named[0]))
    if found.kind != snapshot.kind:
        raise NothingThere(f"snapshot {snapshot.id[:8]} is tagged {snapshot.kind} and holds {found.kind}")
    return Fetched(snapshot, target, found)


def _below(target: Path, named: str) -> Path:
    """Raises NothingThere for a path that leads out."""
    path = target / named.lstrip("/")
    if ".." in Path(named).parts:
        raise NothingThere(f"the manifest names {named}")
    return path
