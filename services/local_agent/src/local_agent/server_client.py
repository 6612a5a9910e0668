"""Our own client of an MCP server: one process, started when first needed, started again when it dies."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import anyio
import mcp
from anyio.from_thread import BlockingPortal, start_blocking_portal

from local_agent.executor import ServerGone
from local_agent.kinds import KINDS
from local_agent.mcp.result import ActResult
from vault_protocol.approval import SignedApproval
from vault_protocol.request import Request

PATIENCE = 700.0
"""Seconds for one call: longer than a mail server may take to answer."""


def command(server: str, home: Path) -> tuple[str, ...]:
    return (sys.executable, "-m", f"local_agent.mcp.{server}", "--home", str(home))


class ServerClient:
    """Synchronous calls over stdio. Not for several threads."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = tuple(argv)
        self._stack: ExitStack | None = None
        self._portal: BlockingPortal | None = None
        self._client: mcp.Client | None = None

    def call(self, tool: str, arguments: Mapping[str, Any]) -> Any:
        """The structured answer. Raises ServerGone when there is none."""
        try:
            portal, client = self._connect()
            answer: Any = portal.call(self._call, client, tool, dict(arguments))
        except Exception as error:
            self.close()
            raise ServerGone(type(error).__name__) from error
        if answer.is_error:
            self.close()
            raise ServerGone("it answered with an error")
        return answer.structured_content

    def close(self) -> None:
        """End the server process."""
        stack, self._stack, self._portal, self._client = self._stack, None, None, None
        if stack is not None:
            try:
                stack.close()
            except Exception:  # noqa: BLE001 - it is gone already, which is what we want
                return

    async def _call(self, client: mcp.Client, tool: str, arguments: dict[str, Any]) -> Any:
        with anyio.fail_after(PATIENCE):
            return await client.call_tool(tool, arguments)

    def _connect(self) -> tuple[BlockingPortal, mcp.Client]:
        if self._portal is None or self._client is None:
            stack = ExitStack()
            portal = stack.enter_context(start_blocking_portal())
            server = mcp.StdioServerParameters(command=self._argv[0], args=list(self._argv[1:]))
            opened: AbstractContextManager[mcp.Client] = portal.wrap_async_context_manager(mcp.Client(server))
            try:
                self._client = stack.enter_context(opened)
            except BaseException:
                stack.close()
                raise
            self._portal, self._stack = portal, stack
        return self._portal, self._client


class Servers:
    """Every server that acts, by the kind of action it takes."""

    def __init__(self, home: Path, commands: Mapping[str, Sequence[str]] | None = None) -> None:
        """`commands`: the argv of a server by its name, where it is not the usual one."""
        given = commands or {}
        self._clients = {
            name: ServerClient(given.get(name) or command(name, home))
            for name in dict.fromkeys(kind.server for kind in KINDS.values())
        }

    def act(self, asked: Request, approval: SignedApproval, earlier: list[SignedApproval]) -> ActResult:
        """Raises ServerGone when there is no answer; the ledger knows what was started."""
        arguments = {
            "action": asked.action.model_dump(mode="json"),
            "approval": approval.model_dump(mode="json"),
            "earlier": [one.model_dump(mode="json") for one in earlier],
        }
        tool = asked.action.type
        return ActResult.model_validate(self._clients[KINDS[tool].server].call(tool, arguments))

    def call(self, server: str, tool: str, **arguments: Any) -> Any:
        """A tool that only reads. Raises ServerGone."""
        return self._clients[server].call(tool, arguments)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
