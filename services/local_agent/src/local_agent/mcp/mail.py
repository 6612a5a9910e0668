"""The mail MCP server: `python -m local_agent.mcp.mail --home HOME`, over stdio.

`send_mail` sends nothing without the owner's signed approval of exactly this action. Pause, limits, dry run and
single use are judged in here, so any MCP client may be given this server.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp.types import ToolAnnotations
from pydantic import BaseModel, ConfigDict

from local_agent.attachments import Attachments
from local_agent.effects import Answer, Done, Executor, Ledger, Refusal, Unsure, Waiting
from local_agent.executor_id import executor_id
from local_agent.home import Home
from local_agent.mcp.mail_connector import MailConnector
from vault_protocol import disk
from vault_protocol.action import SendMail
from vault_protocol.approval import SignedApproval
from vault_protocol.canonical import utc
from vault_protocol.errors import DiskTrouble, VaultError


class SendResult(BaseModel):
    """What became of it. `status` is done, waiting, refused or unsure; times are UTC text."""

    model_config = ConfigDict(frozen=True)

    status: str
    reason: str = ""
    rule: str = ""
    until: str = ""
    effect: str = ""
    message_id: str = ""
    sent_at: str = ""
    ledger_sequence: int = 0


class MailStatus(BaseModel):
    """Whether mail can go out now, and why not."""

    paused: str | None
    dry_run: bool
    per_hour: int
    unsure: tuple[str, ...]
    ledger_sequence: int


def build(home: Home, reached: Callable[[str], None] = lambda step: None) -> MCPServer:
    """The server over this home. `reached` is told the executor's steps."""
    settings = home.settings()
    connector = MailConnector(home.settings().account, Attachments(home.attachments).read)
    ledger = Ledger(home.ledger)
    executor: Executor[SendMail] = Executor(
        connector=connector,
        ledger=ledger,
        vault=settings.vault,
        id=executor_id(home.executor),
        key=home.approval_public_key(),
        secret=home.secret_bytes(),
        now=lambda: datetime.now(UTC),
        per_hour=lambda: home.settings().limits.mail_per_hour,
        dry_run=lambda: home.settings().dry_run,
        reached=reached,
    )
    app = MCPServer(
        "countersign-mail",
        instructions="Sends the mails the owner countersigned, each once. It takes no other word for it.",
    )

    @app.tool(
        annotations=ToolAnnotations(
            title="Send a countersigned mail", destructive_hint=True, idempotent_hint=True, open_world_hint=True
        )
    )
    def send_mail(
        action: SendMail, approval: SignedApproval, earlier: list[SignedApproval] | None = None
    ) -> SendResult:
        """Send this mail if the owner's signed approval covers exactly it. Asking again never sends again."""
        try:
            with disk.watched(home.ledger.parent):
                return told(executor.execute(action, approval, earlier=earlier or ()), action)
        except DiskTrouble as error:
            return SendResult(status="waiting", reason=str(error))

    @app.tool(annotations=ToolAnnotations(title="Can mail go out?", read_only_hint=True))
    def mail_status() -> MailStatus:
        """Pause, dry run, the hourly limit, and effects whose outcome the owner has to settle."""
        now = home.settings()
        return MailStatus(
            paused=ledger.paused(),
            dry_run=now.dry_run,
            per_hour=now.limits.mail_per_hour,
            unsure=tuple(effect.task for effect in ledger.unknown()),
            ledger_sequence=ledger.last_sequence(),
        )

    return app


def told(answer: Answer, action: SendMail) -> SendResult:
    """An answer as it goes over the wire."""
    match answer:
        case Done(effect, key):
            return SendResult(
                status="done", effect=effect.id, sent_at=utc(effect.started), reason=effect.detail,
                message_id=MailConnector.message_id(action, key), ledger_sequence=effect.sequence,
            )  # fmt: skip
        case Waiting(reason, until, paused):
            rule = "paused" if paused else ""
            return SendResult(status="waiting", rule=rule, reason=reason, until=utc(until) if until else "")
        case Refusal(rule, reason):
            return SendResult(status="refused", rule=rule, reason=reason)
        case Unsure(effect, reason):
            return SendResult(status="unsure", reason=reason, effect=effect.id, ledger_sequence=effect.sequence)


def main(argv: list[str] | None = None, reached: Callable[[str], None] = lambda step: None) -> int:
    """Serve until the client goes away. Exit 1 with one line when this home cannot be served."""
    parser = argparse.ArgumentParser(prog="countersign-mail", description=__doc__)
    parser.add_argument("--home", type=Path, default=None, help="the private folder (default: as countersign)")
    options: Any = parser.parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    home = Home(options.home or Home.default())
    try:
        with disk.watched(home.path):
            app = build(home, reached)
    except VaultError as error:
        print(f"countersign-mail: {error}", file=sys.stderr)
        return 1
    app.run("stdio")
    return 0


if __name__ == "__main__":
    sys.exit(main())
