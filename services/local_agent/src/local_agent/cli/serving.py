"""`mcp`: be one of the MCP servers for any client, or say how a client is told of them."""

from __future__ import annotations

import json
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from local_agent.cli.session import HomeOption
from local_agent.home import Home
from local_agent.kinds import KINDS
from vault_protocol.errors import VaultError

SERVERS = tuple(dict.fromkeys(kind.server for kind in KINDS.values()))


def mcp(
    server: Annotated[str, typer.Argument(metavar="SERVER", help=f"One of {', '.join(SERVERS)}.")] = "",
    home: HomeOption = None,
) -> None:
    """Be this MCP server over stdio; without a name, print what Claude Code, Claude Desktop and others read."""
    place = (home or Home.default()).absolute()
    if not server:
        print(json.dumps(configuration(place), indent=2))
        return
    if server not in SERVERS:
        raise VaultError(f"there is no MCP server {server!r}; there are {', '.join(SERVERS)}")
    raise typer.Exit(import_module(f"local_agent.mcp.{server}").main(["--home", str(place)]))


def configuration(home: Path) -> dict[str, Any]:
    """`mcpServers` for every server that has something to act with on this machine. Raises NotSetUp."""
    settings = Home(home).settings()
    has = {
        "mail": settings.accounts, "books": settings.books, "payments": settings.payments, "social": settings.social,
        "whatsapp": settings.whatsapp,
    }  # fmt: skip
    program = shutil.which("countersign")
    command = [program] if program else [sys.executable, "-m", "local_agent"]
    return {
        "mcpServers": {
            f"countersign-{name}": {"command": command[0], "args": [*command[1:], "mcp", name, "--home", str(home)]}
            for name in SERVERS
            if has[name]
        }
    }
