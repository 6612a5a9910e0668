"""The mail MCP server: `python -m local_agent.mcp.mail --home HOME`, over stdio.

`send_mail` sends nothing without the owner's signed approval of exactly this action. Pause, limits, dry run and
single use are judged in here, so any MCP client may be given this server.
"""

from __future__ import annotations

import sys

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

from local_agent.attachments import Attachments
from local_agent.effects import Answer, Done, Ledger
from local_agent.home import Home
from local_agent.mcp import serving
from local_agent.mcp.mail_connector import MailConnector
from local_agent.mcp.result import ActResult, ActStatus, told
from local_agent.mcp.serving import Reached
from vault_protocol.action import SendMail
from vault_protocol.approval import SignedApproval
from vault_protocol.canonical import utc


def build(home: Home, reached: Reached = lambda step: None) -> MCPServer:
    """The server over this home. `reached` is told the executor's steps."""
    connector = MailConnector(home.settings().account, Attachments(home.attachments).read)
    ledger = Ledger(home.ledger)
    executor = serving.executor_over(home, ledger, connector, "send_mail", reached)
    app = MCPServer(
        "countersign-mail",
        instructions="Sends the mails the owner countersigned, each once. It takes no other word for it.",
    )

    @app.tool(
        annotations=ToolAnnotations(
            title="Send a countersigned mail", destructive_hint=True, idempotent_hint=True, open_world_hint=True
        )
    )
    def send_mail(action: SendMail, approval: SignedApproval, earlier: list[SignedApproval] | None = None) -> ActResult:
        """Send this mail if the owner's signed approval covers exactly it. Asking again never sends again."""

        def act() -> ActResult:
            answer = executor.execute(action, approval, earlier=earlier or ())
            return told(answer, facts(answer, action))

        return serving.acted(home, act)

    @app.tool(annotations=ToolAnnotations(title="Can mail go out?", read_only_hint=True))
    def mail_status() -> ActStatus:
        """Pause, dry run, the limits, and effects whose outcome the owner has to settle."""
        return serving.status(home, ledger, "send_mail")

    return app


def facts(answer: Answer, action: SendMail) -> dict[str, str]:
    """What a receipt says of a mail that was sent."""
    if not isinstance(answer, Done):
        return {}
    return {"message_id": MailConnector.message_id(action, answer.key), "sent_at": utc(answer.effect.started)}


def main(argv: list[str] | None = None, reached: Reached = lambda step: None) -> int:
    return serving.serve("countersign-mail", build, argv, reached, "Sends countersigned mails, each once.")


if __name__ == "__main__":
    sys.exit(main())
