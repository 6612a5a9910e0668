"""The books MCP server: `python -m local_agent.mcp.books --home HOME`, over stdio.

`post_invoice` and `register_payment` do nothing without the owner's signed approval of exactly that act, on exactly
that state of the record. The other tools read.
"""

from __future__ import annotations

import base64
import sys
from datetime import UTC, date, datetime
from typing import Any

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

from books.rpc import connect
from books.values import Kind, State
from local_agent.effects import Answer, Done, Ledger
from local_agent.home import Home
from local_agent.mcp import serving
from local_agent.mcp.books_connectors import PaymentConnector, PostConnector
from local_agent.mcp.posting import Posting
from local_agent.mcp.result import ActResult, ActStatus, told
from local_agent.mcp.serving import Reached
from vault_protocol.action import PostInvoice, RegisterPayment
from vault_protocol.approval import SignedApproval
from vault_protocol.canonical import utc

ACTS = ToolAnnotations(destructive_hint=True, idempotent_hint=True, open_world_hint=True)
READS = ToolAnnotations(read_only_hint=True, open_world_hint=True)


class Opened:
    """The books by name, each logged in once."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._known: dict[str, Posting] = {}

    def __call__(self, name: str) -> Posting:
        if name not in self._known:
            self._known[name] = Posting(connect(self._home.settings().books_account(name).access()))
        return self._known[name]


def build(home: Home, reached: Reached = lambda step: None) -> MCPServer:
    """The server over this home. `reached` is told the executors' steps."""
    ledger, books = Ledger(home.ledger), Opened(home)

    def now() -> datetime:
        return datetime.now(UTC)

    poster = serving.executor_over(home, ledger, PostConnector(books, now), "post_invoice", reached)
    payer = serving.executor_over(home, ledger, PaymentConnector(books, now), "register_payment", reached)
    app = MCPServer(
        "countersign-books",
        instructions="Posts and pays in the books what the owner countersigned, each once. It reads for anybody.",
    )

    @app.tool(annotations=ACTS.model_copy(update={"title": "Post a countersigned invoice or bill"}))
    def post_invoice(
        action: PostInvoice, approval: SignedApproval, earlier: list[SignedApproval] | None = None
    ) -> ActResult:
        """Post this draft if the owner's signed approval covers exactly it. Asking again never posts again."""

        def act() -> ActResult:
            answer = poster.execute(action, approval, earlier=earlier or ())
            return told(answer, facts(answer))

        return serving.acted(home, act)

    @app.tool(annotations=ACTS.model_copy(update={"title": "Register a countersigned payment"}))
    def register_payment(
        action: RegisterPayment, approval: SignedApproval, earlier: list[SignedApproval] | None = None
    ) -> ActResult:
        """Register this payment if the owner's signed approval covers exactly it. It is never repeated."""

        def act() -> ActResult:
            answer = payer.execute(action, approval, earlier=earlier or ())
            return told(answer, facts(answer))

        return serving.acted(home, act)

    @app.tool(annotations=READS.model_copy(update={"title": "A record's state"}))
    def record_state(account: str, record: int) -> dict[str, Any]:
        """What an approval of this record has to cover, its hash, and under which approvals it was posted and paid."""
        state = books(account).state(record)
        return {
            "record": state.move, "sha256": state.sha256, "state": state.state.value, "number": state.number,
            "payment_state": state.payment_state, "approval": state.approval, "payments": list(state.payments),
            "content": state.content,
        }  # fmt: skip

    @app.tool(annotations=READS.model_copy(update={"title": "An invoice as PDF"}))
    def invoice_pdf(account: str, record: int) -> dict[str, Any]:
        """The invoice, printed now from the record; base64."""
        pdf = books(account).pdf(record)
        return {"number": pdf.number, "pdf": base64.b64encode(pdf.content).decode("ascii")}

    @app.tool(annotations=READS.model_copy(update={"title": "Invoices and bills"}))
    def find_invoices(
        account: str, search: str = "", kind: Kind | None = None, state: State | None = None, unpaid: bool = False,
        limit: int = 20,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """The newest first, without their lines."""
        found = books(account).books.invoices(
            kinds=[kind] if kind else (), states=[state] if state else (), unpaid=unpaid, search=search, limit=limit
        )
        return [
            {
                "record": move.id, "number": move.number, "kind": move.kind.value, "state": move.state.value,
                "partner": move.partner.name if move.partner else "", "issued": str(move.issued or ""),
                "due": str(move.due or ""), "total": str(move.total), "residual": str(move.residual),
                "reference": move.reference, "payment_state": move.payment_state,
            }
            for move in found
        ]  # fmt: skip

    @app.tool(annotations=READS.model_copy(update={"title": "What customers owe"}))
    def receivables(account: str, today: date) -> list[dict[str, Any]]:
        """Every open item, the oldest due first."""
        return [
            {
                "record": owed.move, "number": owed.number, "partner": owed.name, "due": owed.due.isoformat(),
                "residual": str(owed.residual), "days_over": owed.days_over,
            }
            for owed in books(account).books.receivables(today=today)
        ]  # fmt: skip

    @app.tool(annotations=READS.model_copy(update={"title": "Bank and cash journals"}))
    def journals(account: str) -> list[dict[str, Any]]:
        """Where a payment can be registered."""
        return [{"id": journal.id, "name": journal.name} for journal in books(account).journals()]

    @app.tool(annotations=READS.model_copy(update={"title": "Can the books be posted to?"}))
    def books_status() -> dict[str, ActStatus]:
        """Pause, dry run, the limits, and effects whose outcome the owner has to settle."""
        return {
            "post": serving.status(home, ledger, "post_invoice"),
            "payment": serving.status(home, ledger, "register_payment"),
        }

    return app


def facts(answer: Answer) -> dict[str, str]:
    """What a receipt says of an act on the books: the document's number, and when it began."""
    if not isinstance(answer, Done):
        return {}
    return {"number": answer.effect.detail[:60], "began_at": utc(answer.effect.started)}


def main(argv: list[str] | None = None, reached: Reached = lambda step: None) -> int:
    return serving.serve("countersign-books", build, argv, reached, "Posts and pays what was countersigned, each once.")


if __name__ == "__main__":
    sys.exit(main())
