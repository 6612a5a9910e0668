"""The provider's mailboxes, in memory, and their IMAP side (pymap's dict backend)."""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from proxyprotocol.noop import ProxyProtocolNoop
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Identity, Login, Session
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxSet
from pymap.concurrent import Subsystem
from pymap.exceptions import MailboxReadOnly
from pymap.imap import IMAPServer
from pymap.interfaces.login import IdentityInterface
from pymap.mailbox import MailboxSnapshot
from pymap.parsing.message import AppendMessage
from pymap.selected import SelectedMailbox
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

from demo.accounts import Account, Accounts
from demo.serving import LOOPBACK

FOLDERS = ("Sent", "Drafts", "Archive", "Trash")


class _ReadOnlySession(Session):
    """What a login that only reads gets; in a read-only selection pymap itself refuses flags and expunges."""

    async def select_mailbox(self, name: str, readonly: bool = False) -> tuple[MailboxSnapshot, SelectedMailbox]:
        return await super().select_mailbox(name, readonly=True)

    async def _refuse(self, *_arguments: object, **_options: object) -> None:
        raise MailboxReadOnly()

    append_messages = copy_messages = move_messages = _refuse  # type: ignore[assignment]
    create_mailbox = delete_mailbox = rename_mailbox = _refuse  # type: ignore[assignment]
    subscribe = unsubscribe = _refuse


class _Identity(Identity):
    """A login, and whether it may write."""

    def __init__(self, name: str, login: Login, *, may_write: bool) -> None:
        super().__init__(name, login, None, frozenset())
        self._may_write = may_write

    @asynccontextmanager
    async def new_session(self) -> AsyncIterator[Session]:
        kind = Session if self._may_write else _ReadOnlySession
        yield kind(self.name, self.config, *self.config.set_cache[self.name])


class _Logins(Login):
    """pymap's own password check; only what a login opens is ours."""

    def __init__(self, config: Config, accounts: Accounts) -> None:
        super().__init__(config)
        self._may_write = {login.user: login.may_submit for a in accounts.accounts for login in a.logins}

    async def authorize(self, authenticated: IdentityInterface, authzid: str) -> _Identity:
        await super().authorize(authenticated, authzid)
        return _Identity(authzid, self, may_write=self._may_write[authzid])


class Mailboxes:
    """Every account's folders; all logins of an account see the same ones."""

    def __init__(self, config: Config, accounts: Accounts) -> None:
        self._config = config
        self._logins = _Logins(config, accounts)

    @classmethod
    async def create(cls, accounts: Accounts) -> "Mailboxes":
        config = Config(
            Namespace(),
            demo_data=False,
            demo_user="",
            demo_password="",
            host=LOOPBACK,
            port=0,
            tls_enabled=False,
            hash_context=Cleartext(),
            cpu_subsystem=Subsystem.for_asyncio(),
            reject_dnsbl=False,
            proxy_protocol=ProxyProtocolNoop(),
        )
        mailboxes = cls(config, accounts)
        for account in accounts.accounts:
            folders = MailboxSet()
            for name in FOLDERS:
                await folders.add_mailbox(name)
            for login in account.logins:
                config.set_cache[login.user] = (folders, FilterSet())
                mailboxes._logins.users_dict[login.user] = UserMetadata(
                    config, login.user, password=login.password.get_secret_value()
                )
        return mailboxes

    async def deliver(self, account: Account, raw: bytes) -> None:
        """Put a message into the account's INBOX; whoever is in IDLE there hears of it at once."""
        user = account.logins[0].user
        session = Session(user, self._config, *self._config.set_cache[user])
        await session.append_messages("INBOX", [AppendMessage(raw, datetime.now(UTC))])

    async def listen_imap(self, port: int) -> asyncio.Server:
        """Serve IMAP on loopback; port 0 picks a free one."""
        self._config.apply_context()
        server = IMAPServer(self._logins, self._config)
        callback = ProxyProtocolReader(self._config.proxy_protocol).get_callback(server)
        return await asyncio.start_server(callback, LOOPBACK, port)
