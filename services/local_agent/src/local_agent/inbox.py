"""The owner's inboxes as Local reads them for itself: what came lately, and one message in full."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.parser import BytesHeaderParser

from local_agent.gmail import Gmail
from local_agent.imap import opened, text_of
from local_agent.mail_account import MailAccount
from local_agent.reconcile import Header

_UID = re.compile(rb"UID (\d+)")
_DATE = re.compile(rb'INTERNALDATE "([^"]+)"')


class Inbox:
    """Every account's INBOX, by IMAP opened for reading only. Raises AuthFailed and MailboxUnreachable."""

    def __init__(self, accounts: Sequence[MailAccount], gmail: Callable[[MailAccount], Gmail]) -> None:
        """`gmail` opens an account whose way is Gmail's API; it is called once for each."""
        self._accounts = tuple(account for account in accounts if account.way == "smtp")
        self._gmails = {account.name: gmail(account) for account in accounts if account.way == "gmail"}

    def since(self, moment: datetime) -> tuple[Header, ...]:
        """The messages that arrived since then, oldest first in each account."""
        found: list[Header] = []
        for account in self._accounts:
            with opened(account) as mailbox:
                mailbox.folder.set("INBOX", readonly=True)
                _, listed = mailbox.client.uid("SEARCH", "SINCE", moment.strftime("%d-%b-%Y"))
                uids = [uid for line in listed if isinstance(line, bytes) for uid in line.split()]
                for start in range(0, len(uids), 200):
                    span = b",".join(uids[start : start + 200]).decode("ascii")
                    fields = "(UID INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"
                    _, lines = mailbox.client.uid("FETCH", span, fields)
                    found += [header for line in lines if (header := _header(account.name, line)) is not None]
        for name, opened_ in self._gmails.items():
            found += [Header(f"{name}/{one.id}", one.message_id, one.received) for one in opened_.inbox(moment)]
        return tuple(header for header in found if header.received >= moment)

    def raw(self, uid: str) -> bytes | None:
        """The message of a `Header.uid`, as stored; None when it is gone."""
        return self.raws([uid]).get(uid)

    def raws(self, uids: Sequence[str]) -> dict[str, bytes]:
        """Each message that is still there, by its `Header.uid`, over one connection for each account."""
        wanted: dict[str, list[str]] = {}
        for uid in uids:
            name, _, number = uid.rpartition("/")
            wanted.setdefault(name, []).append(number)
        found: dict[str, bytes | None] = {}
        for name, gmail in self._gmails.items():
            found |= {f"{name}/{number}": gmail.raw(number) for number in wanted.get(name, ())}
        for account in self._accounts:
            if numbers := wanted.get(account.name):
                with opened(account) as mailbox:
                    mailbox.folder.set("INBOX", readonly=True)
                    for number in numbers:
                        found[f"{account.name}/{number}"] = text_of(mailbox, number.encode("ascii"))
        return {uid: raw for uid, raw in found.items() if raw is not None}


def _header(account: str, line: bytes | tuple[bytes, bytes] | None) -> Header | None:
    if not isinstance(line, tuple):
        return None
    uid, date = _UID.search(line[0]), _DATE.search(line[0])
    if uid is None or date is None:
        return None
    taken = imaplib.Internaldate2tuple(b'INTERNALDATE "' + date[1] + b'"')
    if taken is None:
        return None
    received = datetime(*taken[:6]).astimezone(UTC)
    message_id = str(BytesHeaderParser().parsebytes(line[1]).get("Message-ID", "")).strip()
    return Header(f"{account}/{uid[1].decode('ascii')}", message_id, received)
