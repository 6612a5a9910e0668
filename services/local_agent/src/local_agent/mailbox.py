"""The owner's mailbox: find the original, send, keep the copy, and look whether something was sent."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from imap_tools import BaseMailBox, FolderInfo

from local_agent import submission
from local_agent.imap import message_ids, opened, telling, with_message_id
from local_agent.mail_account import AuthFailed, MailAccount, MailboxUnreachable, Tls
from local_agent.submission import (
    Accepted,
    Outcome,
    RefusedForGood,
    RefusedForNow,
    Unknown,
    Unreachable,
)

__all__ = [
    "Accepted",
    "AuthFailed",
    "MailAccount",
    "Mailbox",
    "MailboxUnreachable",
    "NoSentFolder",
    "Outcome",
    "RefusedForGood",
    "RefusedForNow",
    "Tls",
    "Unknown",
    "Unreachable",
]

# fmt: off
_SENT_NAMES = frozenset({
    "sent", "sent items", "sent mail", "sent messages", "gesendet", "gesendete objekte",
    "gesendete elemente", "envoyés", "messages envoyés", "éléments envoyés", "enviados",
    "elementos enviados", "inviata", "posta inviata", "verzonden", "verzonden items", "wysłane",
    "skickat", "sendt",
})
_ARCHIVE_NAMES = frozenset({
    "archive", "archives", "archiv", "all mail", "alle nachrichten", "archivio", "archivo",
    "archief",
})
# fmt: on


class NoSentFolder(Exception):
    """The account has no folder that looks like the one for sent mail; name it in the settings."""


class Mailbox:
    """One account. Every method opens a connection of its own; raises AuthFailed, MailboxUnreachable."""

    def __init__(self, account: MailAccount) -> None:
        self.account = account

    def find_original(self, message_id: str) -> tuple[bytes, ...]:
        """Every different message with exactly this Message-ID in INBOX and the archives, as stored."""
        _searchable(message_id)  # before anybody is asked
        with self.originals() as find:
            return find(message_id)

    @contextmanager
    def originals(self) -> Iterator[Callable[[str], tuple[bytes, ...]]]:
        """`find_original` for many, over one connection."""
        with opened(self.account) as mailbox:
            known = mailbox.folder.list()
            archives = _for_use(known, r"\All") + _for_use(known, r"\Archive") + _named(known, _ARCHIVE_NAMES)
            folders = dict.fromkeys(["INBOX", *archives])

            def find(message_id: str) -> tuple[bytes, ...]:
                wanted = _searchable(message_id)
                with telling(self.account):
                    return _distinct(raw for folder in folders for raw in with_message_id(mailbox, folder, wanted))

            yield find

    def find_sent(self, message_id: str) -> tuple[bytes, ...]:
        """The same among sent mail; raises NoSentFolder. Whether it is ours is to be told by its bytes."""
        wanted = _searchable(message_id)
        with opened(self.account) as mailbox:
            return _distinct(with_message_id(mailbox, self._sent_folder(mailbox), wanted))

    def append_sent(self, raw: bytes) -> None:
        """Keep a copy among sent mail, unless this very one is there: it may be repeated. Raises NoSentFolder."""
        (message_id,) = message_ids(raw)
        wanted = _searchable(message_id)
        with opened(self.account) as mailbox:
            folder = self._sent_folder(mailbox)
            if raw not in with_message_id(mailbox, folder, wanted):
                mailbox.append(raw, folder, flag_set=r"\Seen")

    def submit(self, raw: bytes, sender: str, recipients: Sequence[str]) -> Outcome:
        """Send to all or none; see local_agent.submission.submit."""
        return submission.submit(self.account, raw, sender, recipients)

    def _sent_folder(self, mailbox: BaseMailBox) -> str:
        if self.account.sent_folder:
            return self.account.sent_folder
        known = mailbox.folder.list()
        for name in _for_use(known, r"\Sent") + _named(known, _SENT_NAMES):
            return name
        names = ", ".join(folder.name for folder in known)
        raise NoSentFolder(f"account {self.account.name}: set sent_folder to one of {names}")


def _searchable(message_id: str) -> str:
    """Raises ValueError for what cannot be put into a search."""
    if not message_id.isascii() or not message_id.isprintable() or not message_id:
        raise ValueError("not a Message-ID")
    return message_id


def _for_use(folders: Sequence[FolderInfo], use: str) -> list[str]:
    """Folders the server itself says are for this (RFC 6154)."""
    return [f.name for f in folders if use.lower() in (flag.lower() for flag in f.flags)]


def _named(folders: Sequence[FolderInfo], names: frozenset[str]) -> list[str]:
    """Folders that can be opened and whose last part is one of these names, in any case."""
    return [
        f.name
        for f in folders
        if (f.name.rpartition(f.delim)[2] if f.delim else f.name).lower() in names
        and not {r"\noselect", r"\nonexistent"} & {flag.lower() for flag in f.flags}
    ]


def _distinct(texts: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(texts))
