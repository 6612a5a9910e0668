"""What the proofs of a connector are given: an outside that counts, and how to reach it from any process."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from local_agent.effects import Connector
from vault_protocol.action import Action

Now = Callable[[], datetime]


class Outside(Protocol):
    """Where it happens, or does not."""

    def action(self, number: int) -> Action:
        """The act with this number; it may prepare what the act is about. Asked once."""
        ...

    def happened(self) -> list[str]:
        """A mark for each time something happened, repeated when it happened twice."""
        ...

    def mark(self, number: int, key: str) -> str:
        """What `happened` shows for the act with this number; `key` is its idempotency key."""
        ...


@dataclass(frozen=True)
class Row:
    """`serve` gives the outside, which loses the answer of one act in `one_in` (0: none)."""

    name: str
    serve: Callable[[Path, int], AbstractContextManager[Outside]]
    connector: Callable[[Path, Now], Connector[Any]]
    loses: bool = True
    """Whether there is an answer that could be lost."""
    of: str = ""
    """The connector's name, where the row has another."""


def found(folder: Path) -> dict[str, Any]:
    """What `serve` wrote down."""
    told: dict[str, Any] = json.loads((folder / "outside.json").read_text(encoding="utf-8"))
    return told


def tell(folder: Path, **facts: Any) -> None:
    (folder / "outside.json").write_text(json.dumps(facts), encoding="utf-8")
