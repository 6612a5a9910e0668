"""Finding originals where the owner's mail is: each look by itself, or one connection an account for many of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from local_agent.gmail import Gmail
from local_agent.mail_account import AuthFailed, MailAccount, MailboxUnreachable
from local_agent.mailbox import Mailbox
from vault_protocol.errors import VaultError


@dataclass
class _Round:
    """What is open, and which accounts could not be opened."""

    opened: ExitStack = field(default_factory=ExitStack)
    finds: dict[str, Callable[[str], tuple[bytes, ...]]] = field(default_factory=dict)
    away: dict[str, VaultError] = field(default_factory=dict)

    def find(self, account: MailAccount, message_id: str) -> tuple[bytes, ...]:
        known = self.finds.get(account.name)
        if known is not None:
            try:
                return known(message_id)
            except MailboxUnreachable:  # the server may have had enough of this connection
                del self.finds[account.name]
        try:
            opened = self.opened.enter_context(Mailbox(account).originals())
        except (AuthFailed, MailboxUnreachable) as error:
            self.away[account.name] = VaultError(str(error))
            raise
        found = opened(message_id)  # what fails here may be for this one message
        self.finds[account.name] = opened
        return found


class Originals:
    """Call it with the name of an account and a Message-ID: the raw messages there with that id.

    Raises VaultError when it cannot look.
    """

    def __init__(self, account: Callable[[str], MailAccount], gmail: Callable[[MailAccount], Gmail]) -> None:
        """`account` raises VaultError for a name that is none."""
        self._account, self._gmail = account, gmail
        self._here = threading.local()

    def __call__(self, account: str, message_id: str) -> Sequence[bytes]:
        known = self._account(account)
        round_: _Round | None = getattr(self._here, "round", None)
        if round_ is not None and account in round_.away:
            raise round_.away[account]
        try:
            if known.way == "gmail":
                return tuple(one.raw for one in self._gmail(known).find(message_id) if "SENT" not in one.labels)
            return round_.find(known, message_id) if round_ else Mailbox(known).find_original(message_id)
        except (AuthFailed, MailboxUnreachable, ValueError) as error:
            raise VaultError(str(error)) from None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Inside, and in this thread, an account is logged into once, and one that is away is not tried for each
        mail."""
        around: _Round | None = getattr(self._here, "round", None)
        ours = self._here.round = _Round()
        try:
            yield
        finally:
            self._here.round = around
            ours.opened.close()  # what the block raises is none of the connections' business
