"""Keeping the repository small and clean while it is in use. Nothing here holds up a publish."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import structlog

from vault_hub.git import environment
from vault_hub.holding import clear_old
from vault_hub.metrics import Metrics

log = structlog.get_logger()

STEPS = (
    ("repack", "-d", "--geometric=2", "--quiet"),
    ("commit-graph", "write", "--reachable"),
)
"""What git does, one after the other, beside the arbiter. Nothing is pruned: what was never accepted is small."""

CROWDED, LOOKS = 200, 60
"""Packs at which it does not wait for its time; how often it looks in that time."""

PATIENCE = 900.0
"""Seconds one step may take."""


class Maintenance:
    """Runs every so often until it is cancelled."""

    def __init__(self, repository: Path, metrics: Metrics, *, every: float) -> None:
        self._repository, self._metrics, self._every = repository, metrics, every

    async def run(self) -> None:
        while True:
            try:
                await self._due()
                await self.once()
            except Exception:  # a disk that fails, no file or process to be had: the next round may find it well
                log.exception("maintenance.failed")

    async def _due(self) -> None:
        for _ in range(LOOKS):
            await asyncio.sleep(self._every / LOOKS)
            if self._packs() > CROWDED:
                break

    def _packs(self) -> int:
        return sum(1 for _ in (self._repository / "objects" / "pack").glob("*.idx"))

    async def once(self) -> bool:
        """One round. False when a step failed; the next round tries again."""
        removed = await asyncio.to_thread(clear_old, self._repository)
        if removed:
            log.info("janitor.cleared", files=len(removed))
        for step in STEPS:
            code = await self._git(*step)
            if code != 0:
                log.warning("maintenance.failed", step=step[0], code=code)
                return False
        self._metrics.maintenance.set(time.time())
        return True

    async def _git(self, *argv: str) -> int:
        process = await asyncio.create_subprocess_exec(
            "nice", "git", f"--git-dir={self._repository}", "-c", "core.fsync=all", *argv,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            env=environment(),
        )  # fmt: skip
        try:
            return await asyncio.wait_for(process.wait(), PATIENCE)
        except TimeoutError:
            return -1
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
