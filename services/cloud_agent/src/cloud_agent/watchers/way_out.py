"""How a mail server is reached: directly, or through the one way out that a machine allows (HTTP CONNECT)."""

import imaplib
import socket
import ssl
from typing import Any

from imap_tools import BaseMailBox

from cloud_agent.watchers.mailbox_settings import GmailSettings, MailboxSettings

LONGEST_ANSWER = 8192


def connected(settings: MailboxSettings | GmailSettings, timeout: float) -> socket.socket:
    """A connection to the mailbox's server. Raises OSError, which says so when the way out refuses."""
    if settings.way_out is None:
        return socket.create_connection((settings.host, settings.port), timeout)
    host, _, port = settings.way_out.rpartition(":")
    line = socket.create_connection((host, int(port)), timeout)
    try:
        target = f"{settings.host}:{settings.port}"
        line.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode("ascii"))
        status = _answer(line)
    except BaseException:
        line.close()
        raise
    if status != 200:
        line.close()
        raise ConnectionRefusedError(f"the way out {settings.way_out} does not lead to {target}: it answers {status}")
    return line


def _answer(line: socket.socket) -> int:
    """The status of the answer, read to its end and no further: what follows is the mail server's."""
    said = b""
    while not said.endswith(b"\r\n\r\n"):
        byte = line.recv(1)
        if not byte or len(said) >= LONGEST_ANSWER:
            raise ConnectionError("the way out broke off")
        said += byte
    words = said.split(b" ", 2)
    if len(words) < 2 or not said.startswith(b"HTTP/1.") or not words[1].isdigit():
        raise ConnectionError("the way out speaks no HTTP")
    return int(words[1])


class ReadingBox(BaseMailBox):
    """imap-tools' mailbox over a connection of ours. imaplib checks no certificate unless its context does."""

    def __init__(self, settings: MailboxSettings) -> None:
        self._settings = settings
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        client = _Tls(self._settings) if self._settings.tls else _Plain(self._settings)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return client


class _Plain(imaplib.IMAP4):
    def __init__(self, settings: MailboxSettings) -> None:
        self._settings = settings
        super().__init__(settings.host, settings.port, settings.timeout_seconds)

    def _create_socket(self, timeout: Any) -> socket.socket:
        return connected(self._settings, self._settings.timeout_seconds)


class _Tls(imaplib.IMAP4_SSL):
    def __init__(self, settings: MailboxSettings) -> None:
        self._settings = settings
        context = ssl.create_default_context()
        super().__init__(settings.host, settings.port, ssl_context=context, timeout=settings.timeout_seconds)

    def _create_socket(self, timeout: Any) -> socket.socket:
        line = connected(self._settings, self._settings.timeout_seconds)
        secure: socket.socket = self.ssl_context.wrap_socket(line, server_hostname=self._settings.host)
        return secure
