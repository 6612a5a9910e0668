"""From an account in the settings to its way to WhatsApp."""

from __future__ import annotations

from pathlib import Path

from local_agent.chats.arriving import Arriving, is_wanted
from local_agent.chats.cloud_api import CloudApi
from local_agent.chats.linked import Linked, Session, neonize_session
from local_agent.chats.phone import Message, Phone
from local_agent.chats.webhook import Webhook
from local_agent.networks.graph import Graph
from local_agent.networks.http import Http
from local_agent.whatsapp_account import WhatsAppAccount

ARRIVED = "arrived"
"""The folder in an account's own one that holds what came in."""


def open_phone(account: WhatsAppAccount, folder: Path, session: Session = neonize_session) -> Phone:
    """`folder` is the account's private one. Raises BadLogin when there is no token, or nothing that can be linked."""
    arriving = Arriving(folder / ARRIVED)

    def heard(message: Message) -> bool:
        return not is_wanted(message, account) or arriving.keep(message) or arriving.has(message)

    if account.way == "cloud":
        http = Http(
            f"{account.url.rstrip('/')}/{account.version}", headers={"Authorization": f"Bearer {account.secret()}"},
            timeout=account.timeout_seconds,
        )  # fmt: skip
        return CloudApi(
            Graph(http), phone_id=account.phone_id,
            listen=(lambda: Webhook(account.webhook_port, account.webhook_keys(), account.phone_id, heard))
            if account.webhook_port else None,
        )  # fmt: skip
    return Linked(session, folder, heard)
