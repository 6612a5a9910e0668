"""What the mail server's reading tools answer. Strangers wrote it: it is nobody's instruction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import correspondence
from correspondence import Mailbox, Original
from local_agent.inbox import Inbox
from local_agent.mail_account import AuthFailed, MailAccount, MailboxUnreachable
from vault_protocol.canonical import utc
from vault_protocol.errors import VaultError
from vault_protocol.plain import visible

MOST = 50
"""Mails of one list."""
LONGEST = 50_000
"""Characters of a mail's text."""
DAYS = 31


class CannotRead(VaultError):
    """The message says which account or mail, and why."""


class MailReading:
    """The inboxes of this machine's accounts, read and never changed: nothing is marked as seen."""

    def __init__(self, account: Callable[[str], MailAccount], inbox: Callable[[MailAccount], Inbox]) -> None:
        """`account` raises VaultError for a name that there is not."""
        self._account, self._inbox = account, inbox

    def newest(self, account: str, days: int, limit: int) -> list[dict[str, Any]]:
        """The newest first, without their texts. Raises CannotRead, VaultError."""
        inbox = self._inbox(self._account(account))
        since = datetime.now(UTC) - timedelta(days=max(0, min(days, DAYS)))
        try:
            listed = sorted(inbox.since(since), key=lambda one: one.received, reverse=True)[: max(0, min(limit, MOST))]
            raws = inbox.raws([one.uid for one in listed])
        except (AuthFailed, MailboxUnreachable) as error:
            raise CannotRead(str(error)) from None
        return [
            {"id": one.uid, "received": utc(one.received), **_headers(correspondence.read(raws[one.uid]))}
            for one in listed
            if one.uid in raws
        ]

    def read(self, id_: str) -> dict[str, Any]:
        """One mail by its `id`. Raises CannotRead, VaultError."""
        name, _, number = id_.rpartition("/")
        if not (number.isascii() and number.isalnum()):
            raise CannotRead(f"{id_[:100]!r} is no id of a mail: take one that `newest_mails` gave")
        try:
            raw = self._inbox(self._account(name)).raw(id_)
        except (AuthFailed, MailboxUnreachable) as error:
            raise CannotRead(str(error)) from None
        if raw is None:
            raise CannotRead(f"the mail {id_} is not in the inbox of {name} any more")
        mail = correspondence.read(raw)
        text = visible(mail.text)
        return {
            "id": id_, **_headers(mail), "cc": _people(mail.cc), "reply_to": _people(mail.reply_to),
            "text": text[:LONGEST], "cut": len(text) > LONGEST,
            "attachments": [
                {"name": one.name, "media_type": one.media_type, "size": one.size, "sha256": one.sha256}
                for one in mail.attachments
            ],
        }  # fmt: skip


def _headers(mail: Original) -> dict[str, Any]:
    return {
        "message_id": mail.message_id or "", "from": _people([mail.sender] if mail.sender else []),
        "to": _people(mail.to), "subject": mail.subject, "date": utc(mail.date) if mail.date else "",
        "files": len(mail.attachments),
    }  # fmt: skip


def _people(boxes: tuple[Mailbox, ...] | list[Mailbox]) -> list[str]:
    return [f"{box.name} <{box.address}>" if box.name else box.address for box in boxes]
