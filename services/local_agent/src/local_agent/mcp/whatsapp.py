"""The WhatsApp MCP server: `python -m local_agent.mcp.whatsapp --home HOME`, over stdio.

It sends nothing without the owner's signed approval of exactly that message. It holds the connection of a linked
phone, and keeps what comes in on disk for the service to take up.
"""

from __future__ import annotations

import sys

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

from local_agent.chats.letters import Letters
from local_agent.chats.opening import open_phone
from local_agent.chats.phone import Phone
from local_agent.effects import Answer, Done, Ledger
from local_agent.home import Home
from local_agent.mcp import serving
from local_agent.mcp.result import ActResult, ActStatus, told
from local_agent.mcp.serving import Reached
from local_agent.mcp.whatsapp_connector import WhatsAppConnector
from local_agent.networks.network import NotPublished
from local_agent.whatsapp_account import WhatsAppAccount
from vault_protocol.action import SendSealed, SendWhatsApp
from vault_protocol.approval import SignedApproval
from vault_protocol.canonical import utc

ACTS = ToolAnnotations(destructive_hint=True, idempotent_hint=True, open_world_hint=True)
READS = ToolAnnotations(read_only_hint=True, open_world_hint=True)


class Phones:
    """The phones by account, each connected once."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._known: dict[WhatsAppAccount, Phone] = {}

    def __call__(self, account: WhatsAppAccount) -> Phone:
        if account not in self._known:
            self._known[account] = open_phone(account, self._home.whatsapp / account.name)
        return self._known[account]

    def states(self) -> dict[str, str]:
        """Every account, `ok` or why it cannot send; a linked one that was not connected is, from now on."""
        return {account.name: self._state(account) for account in self._home.settings().whatsapp}

    def _state(self, account: WhatsAppAccount) -> str:
        try:
            return self(account).state()
        except NotPublished as error:
            return str(error)


def build(home: Home, reached: Reached = lambda step: None) -> MCPServer:
    """The server over this home. `reached` is told the executors' steps."""
    ledger, phones, letters = Ledger(home.ledger), Phones(home), Letters(home.chats)

    def account(name: str) -> WhatsAppAccount:
        return home.settings().whatsapp_account(name)

    open_words: WhatsAppConnector[SendWhatsApp] = WhatsAppConnector(account, phones, letters)
    sealed_words: WhatsAppConnector[SendSealed] = WhatsAppConnector(account, phones, letters)
    sender = serving.executor_over(home, ledger, open_words, "send_whatsapp", reached)
    unsealer = serving.executor_over(home, ledger, sealed_words, "send_sealed", reached)
    app = MCPServer(
        "countersign-whatsapp",
        instructions="Sends the WhatsApp messages the owner countersigned, each once. It takes no other word for it.",
    )

    @app.tool(annotations=ACTS.model_copy(update={"title": "Send a countersigned WhatsApp message"}))
    def send_whatsapp(
        action: SendWhatsApp, approval: SignedApproval, earlier: list[SignedApproval] | None = None
    ) -> ActResult:
        """Send this message if the owner's signed approval covers exactly it. Asking again never sends again."""

        def act() -> ActResult:
            answer = sender.execute(action, approval, earlier=earlier or ())
            return told(answer, facts(answer))

        return serving.acted(home, act)

    @app.tool(annotations=ACTS.model_copy(update={"title": "Send a countersigned message kept on this machine"}))
    def send_sealed(
        action: SendSealed, approval: SignedApproval, earlier: list[SignedApproval] | None = None
    ) -> ActResult:
        """Send the message with this digest, whose words are on this machine. Asking again never sends again."""

        def act() -> ActResult:
            answer = unsealer.execute(action, approval, earlier=earlier or ())
            return told(answer, facts(answer))

        return serving.acted(home, act)

    @app.tool(annotations=READS.model_copy(update={"title": "Are the phones connected?"}))
    def phones_connected() -> dict[str, str]:
        """Every account, `ok` or why it cannot send now."""
        return phones.states()

    @app.tool(annotations=READS.model_copy(update={"title": "Can messages go out?"}))
    def whatsapp_status() -> ActStatus:
        """Pause, dry run, the limits, and effects whose outcome the owner has to settle."""
        return serving.status(home, ledger, "send_whatsapp")

    return app


def facts(answer: Answer) -> dict[str, str]:
    """What a receipt says of a message: when it began, and nothing by which a chat could be told."""
    return {"began_at": utc(answer.effect.started)} if isinstance(answer, Done) else {}


def main(argv: list[str] | None = None, reached: Reached = lambda step: None) -> int:
    return serving.serve("countersign-whatsapp", build, argv, reached, "Sends countersigned messages, each once.")


if __name__ == "__main__":
    sys.exit(main())
