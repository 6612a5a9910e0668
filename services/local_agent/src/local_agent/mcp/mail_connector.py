"""Mail as an effect: one message, made from the action alone, handed over once, looked for in Sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

from correspondence import File, Mailbox, message
from local_agent.attachments import NoSuchFile
from local_agent.effects.execute import Outcome, Policy
from local_agent.effects.ledger import State
from local_agent.mail_account import AuthFailed, MailAccount, MailboxUnreachable
from local_agent.mailbox import Mailbox as Account
from local_agent.mailbox import NoSentFolder
from local_agent.submission import Accepted, RefusedForGood, RefusedForNow, Unknown, Unreachable, submit
from local_agent.submission import Outcome as Handed
from vault_protocol.action import Address, Attachment, Mail, MailAction
from vault_protocol.approval import Approved
from vault_protocol.errors import VaultError

M = TypeVar("M", bound=Mail)
"""One kind of mail."""


def no_files(attachment: Attachment) -> bytes:
    """On a machine that keeps none."""
    raise NoSuchFile(f"the bytes of {attachment.name} are not on this machine")


class MailConnector(Generic[M]):
    """Implements `effects.Connector` for mails. `account` gives the mail account of a name, `bytes_of` the bytes
    of an attachment (it raises NoSuchFile)."""

    name = "mail"
    policy = Policy(
        dedupe="none in SMTP; the Message-ID is an HMAC of the effect id under a secret of this machine",
        probe="Sent, by Message-ID, byte for byte",
        retries=True,
    )

    def __init__(
        self, account: Callable[[str], MailAccount], bytes_of: Callable[[Attachment], bytes] = no_files
    ) -> None:
        self._account, self._bytes_of = account, bytes_of

    @staticmethod
    def message_id(action: MailAction, key: str) -> str:
        """`<KEY@DOMAIN-OF-SENDER>`."""
        return f"<{key}@{action.sender.address.rpartition('@')[2]}>"

    def raw(self, action: M, key: str, at: datetime) -> bytes:
        """The message: the same bytes for the same action, key and date. Raises NoSuchFile."""
        return message(
            sender=_mailbox(action.sender),
            to=[_mailbox(box) for box in action.to],
            cc=[_mailbox(box) for box in action.cc],
            subject=action.subject,
            in_reply_to=action.in_reply_to,
            references=action.references,
            text=action.text,
            quote=action.quote,
            files=[File(one.name, one.media_type, self._bytes_of(one)) for one in action.attachments],
            message_id=self.message_id(action, key),
            date=at,
        )

    def perform(self, what: Approved[M], *, key: str, at: datetime) -> Outcome:
        action = what.action
        try:
            account = self._account(action.account)
        except VaultError as error:
            return Outcome(State.REFUSED, str(error))
        if action.sender.address != account.address:
            return Outcome(State.REFUSED, f"the account {account.name} writes as {account.address} only")
        recipients = list(dict.fromkeys(box.address for box in (*action.to, *action.cc, *action.bcc)))
        return outcome_of(lambda: submit(account, self.raw(action, key, at), action.sender.address, recipients))

    def probe(self, action: M, *, key: str, at: datetime, tried: datetime) -> Outcome:
        """Only a copy in Sent with our bytes proves it; an absent copy proves nothing."""
        try:
            copies = Account(self._account(action.account)).find_sent(self.message_id(action, key))
        except (MailboxUnreachable, AuthFailed, NoSentFolder, VaultError) as error:
            return Outcome(State.UNKNOWN, f"Sent cannot be read: {error}")
        if not copies:
            return Outcome(State.UNKNOWN, "there is no copy of it in Sent, which proves nothing")
        try:
            wanted = _bytes(self.raw(action, key, at))
        except NoSuchFile as error:
            return Outcome(State.UNKNOWN, f"its copy in Sent cannot be compared: {error}", seen=True)
        if any(_bytes(copy) == wanted for copy in copies):
            return Outcome(State.CONFIRMED, "its copy is in Sent, byte for byte", seen=True)
        return Outcome(State.UNKNOWN, "a mail with its Message-ID is in Sent, but with other bytes", seen=True)

    def afterwards(self, action: M, *, key: str, at: datetime) -> None:
        """A copy in Sent, unless the provider has put one there."""
        try:
            account = Account(self._account(action.account))
            if not account.find_sent(self.message_id(action, key)):
                account.append_sent(self.raw(action, key, at))
        except (MailboxUnreachable, AuthFailed, NoSentFolder, VaultError):
            return


def outcome_of(send: Callable[[], Handed]) -> Outcome:
    """What handing a message over came to, as an effect."""
    try:
        outcome = send()
    except AuthFailed as error:
        return Outcome(State.NOT_DONE, f"login failed: {error}", pause=f"login failed: {error}")
    except NoSuchFile as error:
        return Outcome(State.REFUSED, str(error))
    except ValueError as error:
        return Outcome(State.REFUSED, f"it cannot be put on the wire: {error}")
    match outcome:
        case Accepted(response):
            return Outcome(State.CONFIRMED, response)
        case RefusedForNow(code, text):
            return Outcome(State.NOT_DONE, f"{code} {text}")
        case RefusedForGood(code, text):
            return Outcome(State.REFUSED, f"{code} {text}")
        case Unreachable(reason):
            return Outcome(State.NOT_DONE, f"the mail server cannot be reached: {reason}")
        case Unknown(reason):
            return Outcome(State.UNKNOWN, f"the answer was lost: {reason}")


def _mailbox(box: Address) -> Mailbox:
    return Mailbox(name=box.name, address=box.address)


def _bytes(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n").rstrip(b"\n")
