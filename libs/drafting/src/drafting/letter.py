"""What a drafter may see of a mail, and the little it may answer: a closed enum and text."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from drafting.background import NONE, Background

Account = Literal["business", "personal"]


class Kind(StrEnum):
    """What a mail is, and so what becomes of it."""

    REPLY_WANTED = "reply_wanted"
    INFORMATIONAL = "informational"
    INVOICE = "invoice"
    NEWSLETTER = "newsletter"
    SPAM = "spam"
    NEEDS_OWNER = "needs_owner"


class Priority(StrEnum):
    """How soon the owner should look."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail, as text. All but `to_account`, `mailbox`, `account_name` and `background` was chosen by the sender."""

    sender_name: str
    sender_address: str
    to_account: Account
    mailbox: str = ""
    """The name of the mailbox it came to, where it has one."""
    account_name: str
    """The owner's name: a draft is signed with it."""
    subject: str
    text: str
    """What the sender wrote, without what they quoted."""
    quoted: str = ""
    received: datetime | None = None
    attachments: tuple[str, ...] = ()
    """File names only."""
    automatic: str | None = None
    """The header that says a machine sent it, such as 'Auto-Submitted: auto-replied' or 'List-Id: …'."""
    background: Background = NONE
    """What is known of the sender; empty where nothing was looked up."""


@dataclass(frozen=True, slots=True)
class Triage:
    """A drafter's judgement of a mail; `reason` is for the owner, `by` says who judged."""

    kind: Kind
    priority: Priority
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The body of a reply. Recipients and subject are made elsewhere, by code."""

    text: str
    """LF line ends, exactly one at the end."""
    unknowns: tuple[str, ...]
    """What the drafter did not know and the owner might fill in."""
    by: str
    warnings: tuple[str, ...] = ()
    """What the owner should look at twice, such as a link that is not in the mail."""
    because: str = ""
    """Why another drafter than the first wrote it."""


class DrafterUnavailable(Exception):
    """The drafter is down, slow or rate-limited: keep the mail and try again later."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the drafter is not available: {reason}")
        self.reason = reason


class DrafterLate(DrafterUnavailable):
    """It was asked, and did not answer in its time."""


class DrafterRefused(Exception):
    """The drafter gave nothing usable after all its tries: give the mail to the owner."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the drafter gave nothing usable: {reason}")
        self.reason = reason


class Drafter(Protocol):
    """Reads a mail and answers with text.

    Both calls raise DrafterUnavailable (try again later) or DrafterRefused (give it to the owner).
    """

    def triage(self, letter: Letter, *, handbook: str) -> Triage:
        """Say what the mail is. `handbook` is the owner's Company_Handbook.md."""
        ...

    def draft(self, letter: Letter, *, handbook: str, remark: str | None, previous: str | None) -> Draft:
        """Write a reply; `remark` is what the owner wants changed in `previous`."""
        ...
