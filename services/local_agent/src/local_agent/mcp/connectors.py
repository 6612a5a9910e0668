"""Every connector there is, with its policy: docs/protocol.md has the table, and the proofs go through it."""

from __future__ import annotations

from local_agent.effects.execute import Policy
from local_agent.mcp.books_connectors import PaymentConnector, PostConnector
from local_agent.mcp.gmail_connector import GmailConnector
from local_agent.mcp.mail_connector import MailConnector
from local_agent.mcp.social_connector import SocialConnector
from local_agent.mcp.transfer_file import TransferFile
from local_agent.mcp.whatsapp_connector import WhatsAppConnector
from local_agent.mcp.wise_connector import WiseTransfer

POLICIES: tuple[tuple[str, Policy], ...] = tuple(
    (connector.name, connector.policy)
    for connector in (
        MailConnector,
        GmailConnector,
        PostConnector,
        PaymentConnector,
        TransferFile,
        WiseTransfer,
        SocialConnector,
        WhatsAppConnector,
    )
)
"""Name and policy, one line in the table each."""
