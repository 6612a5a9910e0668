"""One folder on an IMAP server, opened read-only: all the IMAP that Cloud speaks."""

import imaplib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from imap_tools import BaseMailBox
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError

from cloud_agent.watchers.faults import FolderMissing, LoginRefused, Unreachable
from cloud_agent.watchers.idle import wait_for_news
from cloud_agent.watchers.mailbox_settings import MailboxSettings
from cloud_agent.watchers.way_out import ReadingBox

POLL_SECONDS = 60.0
"""How often servers without IDLE are asked."""
BATCH = 200
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BUSY = re.compile(rb"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN)\]", re.IGNORECASE)
_BREAKS = (OSError, imaplib.IMAP4.error, ImapToolsError, ValueError, IndexError, TypeError)


@dataclass(frozen=True)
class Listed:
    """A message as the server lists it, before its text is fetched."""

    uid: int
    size: int
    received_at: datetime


class RemoteFolder:
    """An open connection. Every call raises Unreachable when the connection fails."""

    def __init__(self, mailbox: BaseMailBox, settings: MailboxSettings) -> None:
        self._mailbox = mailbox
        self._settings = settings
        # Asked only now: before the login, servers need not mention IDLE.
        self._can_idle = b"IDLE" in mailbox.client.capability()[1][0].upper().split()

    @classmethod
    @contextmanager
    def open(cls, settings: MailboxSettings) -> Iterator[Self]:
        """Connect and log in; raises LoginRefused."""
        password = _password(settings)
        with _unreachable_when_it_breaks(settings):
            mailbox = ReadingBox(settings)
        try:
            with _unreachable_when_it_breaks(settings):
                _log_in(mailbox, settings, password)
                folder = cls(mailbox, settings)
            yield folder
        finally:
            with suppress(*_BREAKS):
                mailbox.logout()
            with suppress(OSError):
                mailbox.client.shutdown()

    def select(self) -> int:
        """(Re-)open the folder and return its UIDVALIDITY; raises FolderMissing."""
        with _unreachable_when_it_breaks(self._settings):
            try:
                self._mailbox.folder.set(self._settings.folder, readonly=True)
            except MailboxFolderSelectError:
                raise FolderMissing(f"mailbox {self._settings.name}: no {self._settings.folder}") from None
            self.heard_news()  # how many there were before we look is not news
            return int(self._mailbox.client.response("UIDVALIDITY")[1][0])

    def heard_news(self) -> bool:
        """Whether the server mentioned new mail beside its answers since the last select; IDLE won't repeat it."""
        return bool(self._mailbox.client.response("EXISTS")[1][0])

    def uids_after(self, last_uid: int, since: date | None) -> list[int]:
        """UIDs above `last_uid` of mail that arrived on or after `since`, rising."""
        criteria = [f"UID {last_uid + 1}:*"]
        if since:
            criteria.append(f"SINCE {since.day}-{_MONTHS[since.month - 1]}-{since.year}")
        with _unreachable_when_it_breaks(self._settings):
            lines = [line for line in self._uid("SEARCH", *criteria) if isinstance(line, bytes)]
            found = {int(word) for line in lines for word in line.split()}
        # "n:*" always contains the last message, even when its UID is below n.
        return sorted(uid for uid in found if uid > last_uid)

    def listed(self, uids: list[int]) -> Iterator[Listed]:
        """Size and arrival of these messages, rising; those that are gone meanwhile are left out."""
        for start in range(0, len(uids), BATCH):
            batch = uids[start : start + BATCH]
            with _unreachable_when_it_breaks(self._settings):
                lines = self._uid("FETCH", ",".join(map(str, batch)), "(UID RFC822.SIZE INTERNALDATE)")
                found = [_listed(line) for line in lines if isinstance(line, bytes) and b"RFC822.SIZE" in line]
            yield from sorted((f for f in found if f.uid in batch), key=lambda listed: listed.uid)

    def text(self, uid: int, *, headers_only: bool) -> bytes | None:
        """The message (or its headers) exactly as stored, without marking it read; None when it is gone."""
        part = "BODY.PEEK[HEADER]" if headers_only else "BODY.PEEK[]"
        with _unreachable_when_it_breaks(self._settings):
            # Servers may mix in news of other messages: only what carries text and our UID counts.
            lines = self._uid("FETCH", str(uid), f"(UID {part})")
            for line, closing in zip(lines, [*lines[1:], b""], strict=True):
                if isinstance(line, tuple):
                    about = line[0] + (closing if isinstance(closing, bytes) else b"")
                    if f"UID {uid}".encode() in re.findall(rb"UID \d+", about):
                        return bytes(line[1])
        return None

    def wait_for_news(self, stop: threading.Event) -> None:
        """Return when there may be mail, or soon after `stop` is set."""
        if not self._can_idle:
            stop.wait(min(POLL_SECONDS, self._settings.idle_seconds))
            return
        with _unreachable_when_it_breaks(self._settings):
            wait_for_news(self._mailbox, self._settings.idle_seconds, stop)

    def _uid(self, command: str, *arguments: str) -> list[bytes | tuple[bytes, bytes] | None]:
        status, answer = self._mailbox.client.uid(command, *arguments)
        if status != "OK":
            raise imaplib.IMAP4.error(f"{command} was answered by {status}")
        return list(answer)


def _password(settings: MailboxSettings) -> str:
    try:
        return settings.password_file.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise LoginRefused(f"mailbox {settings.name}: cannot read {settings.password_file}") from None


def _log_in(mailbox: BaseMailBox, settings: MailboxSettings, password: str) -> None:
    ascii_only = settings.user.isascii() and password.isascii()
    try:
        (mailbox.login if ascii_only else mailbox.login_utf8)(settings.user, password, None)
    except imaplib.IMAP4.abort:
        raise
    except (imaplib.IMAP4.error, MailboxLoginError) as error:
        if _BUSY.search(str(error).encode()):
            raise
        raise LoginRefused(f"mailbox {settings.name}: {settings.host} refused {settings.user}") from None


def _listed(line: bytes) -> Listed:
    uid, size, arrival = (
        found.group(1).decode()
        for pattern in (rb"UID (\d+)", rb"RFC822\.SIZE (\d+)", rb'INTERNALDATE "([^"]+)"')
        if (found := re.search(pattern, line))
    )
    return Listed(int(uid), int(size), datetime.strptime(arrival.strip(), "%d-%b-%Y %H:%M:%S %z"))


@contextmanager
def _unreachable_when_it_breaks(settings: MailboxSettings) -> Iterator[None]:
    try:
        yield
    except _BREAKS as error:
        raise Unreachable(f"mailbox {settings.name}: {type(error).__name__}: {error}") from error
