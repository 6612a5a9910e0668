"""Mail through Gmail's API: the same message as by SMTP, looked for among what Gmail says it sent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from typing import Generic

from correspondence import Mailbox
from correspondence.fields import line, mailbox_words
from local_agent.attachments import NoSuchFile
from local_agent.effects.execute import Outcome, Policy
from local_agent.effects.ledger import State
from local_agent.gmail import Gmail
from local_agent.mail_account import AuthFailed, MailAccount, MailboxUnreachable
from local_agent.mcp.mail_connector import M, MailConnector, no_files, outcome_of
from vault_protocol.action import Attachment
from vault_protocol.approval import Approved
from vault_protocol.errors import VaultError

COMPARED = ("Message-ID", "From", "To", "Cc", "Subject", "Date", "In-Reply-To", "References")


class GmailConnector(Generic[M]):
    """Implements `effects.Connector` for mails. `account` gives the settings of a name, `gmail` the client."""

    name = "gmail"
    policy = Policy(
        dedupe="none; the Message-ID is an HMAC of the effect id under a secret of this machine",
        probe="sent mail at Gmail, by Message-ID, the headers and every byte of the body",
        retries=True,
    )

    def __init__(
        self, account: Callable[[str], MailAccount], gmail: Callable[[MailAccount], Gmail],
        bytes_of: Callable[[Attachment], bytes] = no_files,
    ) -> None:  # fmt: skip
        self._account, self._gmail = account, gmail
        self._mail: MailConnector[M] = MailConnector(account, bytes_of)

    def perform(self, what: Approved[M], *, key: str, at: datetime) -> Outcome:
        action = what.action
        try:
            account = self._account(action.account)
        except VaultError as error:
            return Outcome(State.REFUSED, str(error))
        if action.sender.address != account.address:
            return Outcome(State.REFUSED, f"the account {account.name} writes as {account.address} only")
        return outcome_of(lambda: self._gmail(account).send(self.raw(action, key, at)))

    def raw(self, action: M, key: str, at: datetime) -> bytes:
        """With a Bcc line, which Gmail reads the hidden recipients from and takes out. Raises NoSuchFile."""
        message = self._mail.raw(action, key, at)
        if not action.bcc:
            return message
        hidden = line("Bcc", mailbox_words([Mailbox(name=one.name, address=one.address) for one in action.bcc], "Bcc"))
        return hidden.encode("ascii") + message

    def probe(self, action: M, *, key: str, at: datetime, tried: datetime) -> Outcome:
        """Only what Gmail shows as sent, with our words in it, proves it. Its absence proves nothing."""
        try:
            copies = self._gmail(self._account(action.account)).find(MailConnector.message_id(action, key), sent=True)
        except (MailboxUnreachable, AuthFailed, VaultError, ValueError) as error:
            return Outcome(State.UNKNOWN, f"what was sent cannot be read: {error}")
        if not copies:
            return Outcome(State.UNKNOWN, "Gmail shows no such mail as sent, which proves nothing")
        try:
            wanted = said(self._mail.raw(action, key, at))
        except NoSuchFile as error:
            return Outcome(State.UNKNOWN, f"its copy cannot be compared: {error}", seen=True)
        if any(said(copy.raw) == wanted for copy in copies):
            return Outcome(State.CONFIRMED, "Gmail shows it as sent", seen=True)
        return Outcome(State.UNKNOWN, "Gmail shows a mail with its Message-ID as sent, but with other words", seen=True)

    def afterwards(self, action: M, *, key: str, at: datetime) -> None:
        """Gmail keeps what it sent by itself; only a label may be missing."""
        with suppress(MailboxUnreachable, AuthFailed, VaultError, ValueError):
            account = self._account(action.account)
            if not account.gmail_label:
                return
            gmail = self._gmail(account)
            for copy in gmail.find(MailConnector.message_id(action, key), sent=True):
                gmail.label(copy.id, account.gmail_label)


def said(raw: bytes) -> tuple[tuple[str, ...], bytes]:
    """The headers that count, unfolded, and the body: Gmail may add headers and fold them in its own way."""
    parsed: Message = message_from_bytes(raw, policy=compat32)
    headers = tuple(" ".join(str(parsed.get(name, "")).split()) for name in COMPARED)
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    return headers, body.rstrip(b"\n")
