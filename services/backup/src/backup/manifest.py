"""What lies in a snapshot beside the copies: when they were taken, what they must hold, and which is which."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backup.errors import NothingThere
from vault_protocol.canonical import moment

NAME = "manifest.json"


class Manifest(BaseModel):
    """`paths`: where each part lay on the machine, which is where it lies below a restore's target."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    kind: Annotated[str, Field(min_length=1)]
    taken: str
    """The moment the copies are of; UTC."""
    mark: str = ""
    """What the source looked like: the same mark, nothing new."""
    facts: dict[str, Any] = {}
    """Counts and hashes of the content, taken together with it. A drill counts again."""
    paths: dict[str, str] = {}

    @property
    def moment(self) -> datetime:
        return moment(self.taken)

    def write(self, folder: Path) -> Path:
        path = folder / NAME
        path.write_text(json.dumps(self.model_dump(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return path


@dataclass(frozen=True)
class Staged:
    """What restic is to take: a moment's copies, and the manifest that says what they hold. `exclude`: its patterns."""

    manifest: Manifest
    paths: tuple[Path, ...]
    exclude: tuple[str, ...] = ()


def read(path: Path) -> Manifest:
    """Raises NothingThere for one that does not read."""
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise NothingThere(f"the snapshot's manifest does not read: {str(error).splitlines()[0]}") from None
