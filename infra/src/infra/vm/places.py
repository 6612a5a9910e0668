"""Where things lie on the VM."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Everything below `root`, which is `/` but in a test."""

    root: Path = Path("/")

    @property
    def data(self) -> Path:
        """The data volume."""
        return self.root / "srv/countersign"

    @property
    def state(self) -> Path:
        """The stack's own: settings, releases of images. On the data volume."""
        return self.data / "state"

    @property
    def secrets(self) -> Path:
        """A file system in memory, over the stack's folder of secrets."""
        return self.state / "secrets"

    @property
    def releases(self) -> Path:
        return self.root / "opt/countersign/releases"

    @property
    def current(self) -> Path:
        return self.root / "opt/countersign/current"

    @property
    def environment(self) -> Path:
        return self.root / "etc/countersign/stack.env"

    @property
    def done(self) -> Path:
        """The digest of the orders that were carried out since the machine started."""
        return self.root / "run/countersign/done"

    @property
    def admitted(self) -> Path:
        """The digest of the orders by which every further agent was let in or put out."""
        return self.root / "run/countersign/admitted"

    @property
    def grown(self) -> Path:
        """The size of the data volume that its file system was given since the machine started."""
        return self.root / "run/countersign/grown"

    @property
    def identity(self) -> Path:
        """Who an agent alone is, in public halves."""
        return self.root / "run/countersign/identity"

    @property
    def last(self) -> Path:
        """What was reported last."""
        return self.root / "run/countersign/report.json"


def here() -> Places:
    return Places(Path(os.environ.get("COUNTERSIGN_ROOT", "/")))
