"""What every MCP server of ours does around its tools: a home, a ledger, stdio, and one line when it cannot serve."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from mcp.server import MCPServer

from local_agent.effects import Connector, Executor, Ledger
from local_agent.executor_id import executor_id
from local_agent.home import Home
from local_agent.mcp.result import ActResult, ActStatus
from vault_protocol import disk
from vault_protocol.action import Action
from vault_protocol.errors import DiskTrouble, VaultError

A = TypeVar("A", bound=Action)

Reached = Callable[[str], None]


def executor_over(home: Home, ledger: Ledger, connector: Connector[A], kind: str, reached: Reached) -> Executor[A]:
    """The approval check and the ledger of this home before this connector. `kind` is the type of its actions."""
    return Executor(
        connector=connector,
        ledger=ledger,
        vault=home.settings().vault,
        id=executor_id(home.executor),
        key=home.approval_public_key(),
        secret=home.secret_bytes(),
        now=lambda: datetime.now(UTC),
        limit=lambda: home.limit(kind),
        dry_run=lambda: home.settings().dry_run,
        reached=reached,
    )


def acted(home: Home, act: Callable[[], ActResult]) -> ActResult:
    """What the act answers; while the ledger's disk takes nothing, it waits."""
    try:
        with disk.watched(home.ledger.parent):
            return act()
    except DiskTrouble as error:
        return ActResult(status="waiting", reason=str(error))


def status(home: Home, ledger: Ledger, kind: str) -> ActStatus:
    limit = home.limit(kind)
    return ActStatus(
        paused=ledger.paused(),
        dry_run=home.settings().dry_run,
        per_hour=limit.per_hour,
        per_day=limit.per_day,
        unsure=tuple(effect.task for effect in ledger.unknown()),
        ledger_sequence=ledger.last_sequence(),
    )


def serve(
    name: str, build: Callable[[Home, Reached], MCPServer], argv: list[str] | None, reached: Reached, description: str
) -> int:
    """Serve over stdio until the client goes away. Exit 1 with one line when this home cannot be served."""
    parser = argparse.ArgumentParser(prog=name, description=description)
    parser.add_argument("--home", type=Path, default=None, help="the private folder (default: as countersign)")
    options: Any = parser.parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    home = Home(options.home or Home.default())
    try:
        with disk.watched(home.path):
            app = build(home, reached)
    except VaultError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    app.run("stdio")
    return 0
