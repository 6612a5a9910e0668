"""The log of refusals: who, which rule, where; never a content. Bounded: one older file is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from vault_protocol.canonical import utc
from vault_protocol.hub import Rejected
from vault_protocol.task import AgentId

LARGEST = 4 * 1024 * 1024


class Refusals:
    """Appends to `refusals.jsonl` in the state folder."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._path, self._now = folder / "refusals.jsonl", now

    def note(self, agent: AgentId, refused: Rejected) -> None:
        line = {"at": utc(self._now()), "agent": agent, "rule": refused.rule, "path": refused.path[:200]}
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
                size = file.tell()
            if size > LARGEST:
                self._path.replace(self._path.with_suffix(".1.jsonl"))
        except OSError:
            return  # the structured log has it too; a full disk must not refuse twice
