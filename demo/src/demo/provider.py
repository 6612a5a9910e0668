"""The provider's two SMTP sides: mail coming in for the owner, and mail the owner sends."""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from aiosmtpd.smtp import SMTP, AuthenticatorType, AuthResult, Envelope, Session

from demo.accounts import Account, Accounts
from demo.mailboxes import Mailboxes
from demo.relay import AnswerLost, Relay
from demo.serving import cut


class Incoming:
    """The MX: anybody may deliver to the owner's addresses, and to no others."""

    def __init__(self, accounts: Accounts, mailboxes: Mailboxes) -> None:
        self._accounts = accounts
        self._mailboxes = mailboxes

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self._accounts.of_address(address) is None:
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        now = format_datetime(datetime.now(UTC))
        trace = (
            f"Return-Path: <{envelope.mail_from}>\r\nReceived: from {session.host_name} by provider.example; {now}\r\n"
        )
        raw = trace.encode() + (envelope.original_content or b"")
        delivered: list[Account] = []
        for account in map(self._accounts.of_address, envelope.rcpt_tos):
            if account is not None and account not in delivered:
                await self._mailboxes.deliver(account, raw)
                delivered.append(account)
        return "250 2.0.0 Delivered"


def login_check(accounts: Accounts) -> AuthenticatorType:
    """aiosmtpd's authenticator; a login that only reads is refused like a wrong password."""

    def check(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
        login, password = given
        account = accounts.submitter(login.decode(), password.decode())
        return AuthResult(success=account is not None, handled=False, auth_data=account)

    return check


class Submission:
    """The owner's way out: every step is put to the next server before it is answered, so its faults show."""

    def __init__(self, accounts: Accounts, relay_address: tuple[str, int]) -> None:
        self._accounts = accounts
        self._relay_address = relay_address
        self._relay: Relay | None = None

    def closed(self) -> None:
        """The client is gone or starts anew; so do we."""
        if self._relay is not None:
            self._relay.close()
            self._relay = None

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        account: object = session.auth_data
        if not isinstance(account, Account) or self._accounts.of_address(address) is not account:
            return "553 5.7.1 Sender address is not yours"
        self.closed()
        try:
            self._relay = await Relay.connect(*self._relay_address)
            reply = await self._relay.command(f"MAIL FROM:<{address}>")
        except (OSError, AnswerLost):
            return "451 4.4.1 The next server does not answer"
        if reply.code == 250:
            envelope.mail_from = address
        return str(reply)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self._relay is None:
            return "503 5.5.1 MAIL first"
        try:
            reply = await self._relay.command(f"RCPT TO:<{address}>")
        except AnswerLost:
            await cut(server)
        if reply.code == 250:
            envelope.rcpt_tos.append(address)
        return str(reply)

    async def handle_RSET(  # noqa: N802
        self, _server: SMTP, _session: Session, _envelope: Envelope
    ) -> str:
        self.closed()
        return "250 2.0.0 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self._relay is None:
            return "503 5.5.1 MAIL first"
        try:
            reply = await self._relay.data(envelope.original_content or b"")
        except AnswerLost:
            await cut(server)
        self.closed()
        return str(reply)
