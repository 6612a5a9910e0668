"""Every kind of effect that this machine knows: one line here for each class of `vault_protocol.action.ACTIONS`.

CONTRIBUTING.md, "Adding a kind of effect", says what else belongs to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local_agent.limits import Limit


@dataclass(frozen=True)
class Kind:
    """What is known of a kind of action before anybody is asked."""

    server: str
    """`local_agent.mcp.SERVER`, the MCP server whose tool has the name of the action's type."""
    done: str
    """What a note says of it when it is done."""
    named: str
    """Its row in the table of limits in Company_Handbook.md."""
    setting: str
    """Its limits in config.toml, which count before the Handbook's: `SETTING_per_hour`, `SETTING_per_day`."""
    limit: Limit
    """What is allowed while neither says anything."""
    checked: str
    """What it means when Local's own check found nothing."""
    by_file: bool = True
    """Whether moving the note's file may decide it, when nothing stands against that."""
    keeps_hours: bool = False
    """Whether it reaches people, and so waits for the owner's working hours where the Handbook says so."""


_RECORD = "the books hold this very record, in this very state"
_CHAT = "number and chat are those of the message that it answers"

KINDS: Mapping[str, Kind] = {
    "send_mail": Kind(
        "mail", "sent", "mails", "mail", Limit(10, 100),
        "recipients, thread and quote are what the original in your mailbox gives", keeps_hours=True,
    ),
    "forward_mail": Kind(
        "mail", "forwarded", "mails", "mail", Limit(10, 100),
        "recipients are those you named, words and files those of the mail in your mailbox", by_file=False,
        keeps_hours=True,
    ),
    "post_invoice": Kind("books", "posted", "documents posted in the books", "posts", Limit(10, 50), _RECORD),
    "register_payment": Kind(
        "books", "registered", "payments registered in the books", "payments", Limit(3, 20), _RECORD, by_file=False
    ),
    "pay_transfer": Kind(
        "payments", "transferred", "transfers", "transfers", Limit(3, 10),
        "the account's check digits hold, and it was paid under this name before", by_file=False,
    ),
    "publish_post": Kind(
        "social", "published", "posts", "social", Limit(5, 20),
        "the account, the network's rules, the pictures, and what it answers", keeps_hours=True,
    ),
    "send_whatsapp": Kind(
        "whatsapp", "sent", "WhatsApp messages", "whatsapp", Limit(10, 50), _CHAT, keeps_hours=True
    ),
    "send_sealed": Kind(
        "whatsapp", "sent", "WhatsApp messages", "whatsapp", Limit(10, 50), _CHAT, by_file=False, keeps_hours=True
    ),
}  # fmt: skip
"""By the type of the action."""
