"""Waiting in IMAP IDLE without missing anything the server says, and without outliving a stop."""

import select
import ssl
import threading
import time
from typing import Any

from imap_tools import BaseMailBox
from imap_tools.errors import MailboxTaggedResponseError
from imap_tools.idle import IdleManager

STOP_SECONDS = 0.5
"""How often a wait looks whether it should end."""


class PatientIdle(IdleManager):
    """imap-tools' IDLE for servers that report news before they agree to it (imap-tools gives up there)."""

    news_came_first = False

    def start(self) -> None:
        client: Any = self.mailbox.client  # imaplib's IDLE is private before Python 3.14
        self.news_came_first = False
        self._idle_tag = client._command("IDLE")
        while client._get_response() is not None:
            if refusal := client.tagged_commands[self._idle_tag]:
                raise MailboxTaggedResponseError(refusal, None)
            self.news_came_first = True


def wait_for_news(mailbox: BaseMailBox, seconds: float, stop: threading.Event) -> None:
    """Return when the server says anything, after `seconds`, or soon after `stop` is set.

    Raises OSError, imaplib's or imap-tools' errors when the connection breaks.
    """
    deadline = time.monotonic() + seconds
    idle = PatientIdle(mailbox)
    with idle:
        while not idle.news_came_first and not stop.is_set() and (left := deadline - time.monotonic()) > 0:
            if _something_to_read(mailbox.client, min(left, STOP_SECONDS)):
                return


def _something_to_read(client: Any, seconds: float) -> bool:
    """Look without taking anything, so that no half line is ever read; leaving IDLE reads what is there."""
    timeout = client.sock.gettimeout()
    client.sock.settimeout(0)
    try:
        # What came in one piece with the answer to IDLE is already in here, where poll() does not see it.
        if client.file.peek(1):
            return True
    except (BlockingIOError, ssl.SSLWantReadError):
        pass
    finally:
        client.sock.settimeout(timeout)
    poll = select.poll()
    poll.register(client.sock, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
