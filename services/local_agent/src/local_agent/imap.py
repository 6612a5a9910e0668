"""The IMAP that Local speaks: a connection, its folders, and messages by Message-ID."""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.parser import BytesHeaderParser
from itertools import islice

from imap_tools import BaseMailBox, MailBox, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxLoginError

from local_agent.mail_account import AuthFailed, MailAccount, MailboxUnreachable, Tls

_BREAKS = (OSError, imaplib.IMAP4.error, ImapToolsError, ValueError, IndexError, TypeError)
_BUSY = re.compile(rb"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN)\]", re.IGNORECASE)
_UID = re.compile(rb"UID (\d+)")

MOST = 5
"""Messages of one folder that are kept although they have the same Message-ID: the oldest ones."""


@contextmanager
def opened(account: MailAccount) -> Iterator[BaseMailBox]:
    """A connection for one block, logged in, no folder selected; raises AuthFailed, MailboxUnreachable."""
    password = account.password()
    with telling(account):
        mailbox = _connect(account)
        try:
            _log_in(mailbox, account, password)
            yield mailbox
        finally:
            with suppress(*_BREAKS):
                mailbox.logout()
            with suppress(OSError):
                mailbox.client.shutdown()


@contextmanager
def telling(account: MailAccount) -> Iterator[None]:
    """Raises MailboxUnreachable for whatever a connection breaks with in this block."""
    try:
        yield
    except _BREAKS as error:
        raise MailboxUnreachable(f"account {account.name}: {type(error).__name__}: {error}") from error


def message_ids(raw: bytes) -> list[str]:
    """The values of all Message-ID headers: a decent message has one."""
    headers = BytesHeaderParser().parsebytes(raw)
    return [str(value).strip() for value in headers.get_all("Message-ID", [])]


def with_message_id(mailbox: BaseMailBox, folder: str, message_id: str) -> list[bytes]:
    """Messages in `folder` whose one Message-ID is exactly this, as stored, not marked read."""
    mailbox.folder.set(folder, readonly=True)
    quoted = message_id.replace("\\", "\\\\").replace('"', '\\"')
    found = _uid(mailbox, "SEARCH", "HEADER", "Message-ID", f'"{quoted}"')
    uids = [uid for line in found if isinstance(line, bytes) for uid in line.split()]
    texts = (text for uid in uids if (text := text_of(mailbox, uid)) is not None)
    # Servers search for a part of the header, some for words of it.
    return list(islice((text for text in texts if message_ids(text) == [message_id]), MOST))


def text_of(mailbox: BaseMailBox, uid: bytes) -> bytes | None:
    """The message with this UID in the selected folder, not marked read; None when it is gone."""
    lines = _uid(mailbox, "FETCH", uid.decode(), "(UID BODY.PEEK[])")
    # Servers may mix in news of other messages: only what carries text and our UID counts.
    for line, closing in zip(lines, [*lines[1:], b""], strict=True):
        if isinstance(line, tuple):
            about = line[0] + (closing if isinstance(closing, bytes) else b"")
            if uid in _UID.findall(about):
                return bytes(line[1])
    return None


def _uid(mailbox: BaseMailBox, command: str, *arguments: str) -> list[bytes | tuple[bytes, bytes] | None]:
    status, answer = mailbox.client.uid(command, *arguments)
    if status != "OK":
        raise imaplib.IMAP4.error(f"{command} was answered by {status}")
    return list(answer)


def _connect(account: MailAccount) -> BaseMailBox:
    host, port, timeout = account.imap_host, account.imap_port, account.timeout_seconds
    if account.imap_tls is Tls.IMPLICIT:
        return MailBox(host, port, timeout, ssl_context=_checking())
    mailbox = MailBoxUnencrypted(host, port, timeout)
    if account.imap_tls is Tls.STARTTLS:
        try:
            mailbox.client.starttls(_checking())
        except BaseException:
            mailbox.client.shutdown()
            raise
    return mailbox


def _checking() -> ssl.SSLContext:
    """imaplib checks no certificate unless it is given a context that does."""
    return ssl.create_default_context()


def _log_in(mailbox: BaseMailBox, account: MailAccount, password: str) -> None:
    ascii_only = account.user.isascii() and password.isascii()
    try:
        (mailbox.login if ascii_only else mailbox.login_utf8)(account.user, password, None)
    except imaplib.IMAP4.abort:
        raise
    except (imaplib.IMAP4.error, MailboxLoginError) as error:
        if _BUSY.search(str(error).encode()):
            raise
        raise AuthFailed(f"account {account.name}: {account.imap_host} refused {account.user}") from None
