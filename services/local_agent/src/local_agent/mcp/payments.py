"""The payments MCP server: `python -m local_agent.mcp.payments --home HOME`, over stdio.

`pay_transfer` moves nothing without the owner's signed approval of exactly this transfer, given with their passphrase
or a touch of their FIDO key. It is never repeated. The other tools read.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

from local_agent.effects import Answer, Done, Ledger
from local_agent.home import Home
from local_agent.http import Http
from local_agent.mcp import serving
from local_agent.mcp.result import ActResult, ActStatus, told
from local_agent.mcp.serving import Reached
from local_agent.mcp.transfer_file import TransferFile
from local_agent.mcp.wise import Wise
from local_agent.mcp.wise_connector import WiseTransfer
from local_agent.payees import Payees
from local_agent.payment_account import PaymentAccount
from vault_protocol.action import PayTransfer
from vault_protocol.approval import SignedApproval
from vault_protocol.canonical import utc

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)


def build(home: Home, reached: Reached = lambda step: None) -> MCPServer:
    """The server over this home. `reached` is told the executors' steps."""
    ledger, payees = Ledger(home.ledger), Payees(home.payees)

    def now() -> datetime:
        return datetime.now(UTC)

    def account(name: str) -> PaymentAccount:
        return home.settings().payment_account(name)

    def wise(paying: PaymentAccount) -> Wise:
        token = {"Authorization": f"Bearer {home.payment_token(paying)}"}
        http = Http(paying.url, token, seconds=paying.timeout_seconds, ca_file=paying.ca_file)
        return Wise(http, paying.profile)

    executors = {
        "file": serving.executor_over(
            home, ledger, TransferFile(account, home.transfers, payees), "pay_transfer", reached
        ),
        "wise": serving.executor_over(
            home, ledger, WiseTransfer(account, wise, payees, now), "pay_transfer", reached
        ),
    }  # fmt: skip
    app = MCPServer(
        "countersign-payments",
        instructions="Transfers what the owner countersigned, each once and never again by itself.",
    )

    @app.tool(
        annotations=ToolAnnotations(
            title="Make a countersigned transfer", destructive_hint=True, idempotent_hint=True, open_world_hint=True
        )
    )
    def pay_transfer(
        action: PayTransfer, approval: SignedApproval, earlier: list[SignedApproval] | None = None
    ) -> ActResult:
        """Transfer if the owner's signed approval covers exactly it. Asking again never transfers again."""

        def act() -> ActResult:
            way = next((one.way for one in home.settings().payments if one.name == action.account), "file")
            answer = executors[way].execute(action, approval, earlier=earlier or ())
            return told(answer, facts(answer))

        return serving.acted(home, act)

    @app.tool(annotations=READS.model_copy(update={"title": "Was this payee paid before?"}))
    def payee(action: PayTransfer) -> dict[str, Any]:
        """The accounts that were paid under this name from this machine, and the names this account had."""
        known = payees.known(action)
        return {"accounts": list(known.accounts), "names": list(known.names)}

    @app.tool(annotations=READS.model_copy(update={"title": "Accounts that pay"}))
    def payment_accounts() -> list[dict[str, str]]:
        """By name: how each pays, and from which account."""
        return [{"name": one.name, "way": one.way, "iban": one.iban} for one in home.settings().payments]

    @app.tool(annotations=READS.model_copy(update={"title": "Can money go out?"}))
    def payments_status() -> ActStatus:
        """Pause, dry run, the limits, and effects whose outcome the owner has to settle."""
        return serving.status(home, ledger, "pay_transfer")

    return app


def facts(answer: Answer) -> dict[str, str]:
    """What a receipt says of a transfer: where it is now, and when it began."""
    if not isinstance(answer, Done):
        return {}
    return {"transfer": answer.key, "began_at": utc(answer.effect.started)}


def main(argv: list[str] | None = None, reached: Reached = lambda step: None) -> int:
    return serving.serve("countersign-payments", build, argv, reached, "Makes countersigned transfers, each once.")


if __name__ == "__main__":
    sys.exit(main())
