"""What a handbook's rules do, and what could not be read of them."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo

from drafting.budget.caps import NO_CAPS, Caps
from drafting.handbook.hours import Hours
from drafting.handbook.whom import Whom
from drafting.language import Language
from drafting.letter import Account, Letter, Priority


class Effect(StrEnum):
    """What becomes of a mail that a rule is about."""

    ASK = "always-ask"
    """It goes to the owner first; their remark has it drafted."""
    NEVER = "never-draft"
    """No draft, whatever the remark: the owner writes it."""
    OWNER = "owner-only"
    """As ASK, and urgent."""
    DRAFT = "draft"
    FILE = "file"
    """No answer; it may end unseen unless another rule speaks."""


STRONGEST = (Effect.NEVER, Effect.OWNER, Effect.ASK, Effect.FILE, Effect.DRAFT)
"""Which of several rules about one mail counts."""


class Manner(StrEnum):
    """A tone that the offline drafter can write in; any other is for a model."""

    FORMAL = "formal"
    INFORMAL = "informal"
    SHORT = "short"


class Unreadable(StrEnum):
    """Why a line is no rule this program understands."""

    EFFECT = "unknown-effect"
    WHOM = "unknown-whom"
    VALUE = "unknown-value"
    SECTION = "unknown-section"
    SHARED = "shared-for-some"
    """Context is shared from a section for all, or not at all."""
    HOURS = "no-working-hours"
    """It goes by working hours, and none are understood."""
    MAILBOX = "unknown-mailbox"
    """It is for a mailbox that no agent watches."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A line of the handbook, from 1, that is told to the owner."""

    line: int
    why: Unreadable


@dataclass(frozen=True, slots=True)
class MailRule:
    """One rule about mails; `line` is where it stands."""

    effect: Effect
    whom: Whom
    line: int
    priority: Priority | None = None
    warn: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """The handbook as far as it was understood; `unread` holds the rest."""

    mail: tuple[MailRule, ...] = ()
    contacts: frozenset[str] = frozenset()
    names: tuple[tuple[str, str], ...] = ()
    """(address, name) of each contact that has a name."""
    sign_as: tuple[tuple[Account | None, str], ...] = ()
    languages: tuple[Language, ...] = ()
    """Drafts are written in these alone, in the first when the mail's is none of them; empty: any."""
    tone: tuple[str, ...] = ()
    hours: Hours | None = None
    within_hours: bool = False
    """What is addressed to people leaves in these hours only."""
    disclose: bool = False
    tellable: tuple[str, ...] = ()
    """The facts a draft may tell; nothing else of the handbook may stand in one."""
    shared: frozenset[Account] = frozenset()
    """Accounts whose drafts may use what the other account knows."""
    remind_after: timedelta | None = timedelta(days=5)
    """How long an answer is waited for before a reminder is drafted; None: never."""
    caps: Caps = NO_CAPS
    """What models may cost at most: it lowers what the settings allow, and raises nothing."""
    boxes: tuple[tuple[int, str], ...] = ()
    """(line, mailbox) of each mailbox that is named."""
    plan_iterations: int = 10
    """How many steps of a plan are tried before the owner is asked."""
    unread: tuple[Unread, ...] = ()

    def about(self, letter: Letter) -> MailRule | None:
        """The rule that counts for this mail."""
        fitting = [rule for rule in self.mail if rule.whom.fits(letter, self.contacts)]
        return min(fitting, key=lambda rule: STRONGEST.index(rule.effect), default=None)

    @property
    def manners(self) -> frozenset[Manner]:
        """Of the lines of the tone that name manners and nothing else, such as `Tone: formal and short`."""
        found = set[Manner]()
        for line in self.tone:
            words = [word for word in re.split(r"[,\s]+|\band\b", line.lower().rstrip(".")) if word]
            if words and all(word in set(Manner) for word in words):
                found |= {Manner(word) for word in words}
        return frozenset(found)

    def may_use(self, account: Account, source: Account) -> bool:
        """Whether a draft for mail to `account` may use what is known from `source`."""
        return account == source or account in self.shared

    def signature(self, account: Account) -> str | None:
        """The name for this account, or the one for all."""
        names = dict(self.sign_as)
        return names.get(account) or names.get(None)

    def zone(self, otherwise: tzinfo) -> tzinfo:
        """Where the owner's day begins: as the working hours name it."""
        return ZoneInfo(self.hours.zone) if self.hours and self.hours.zone else otherwise

    def leaves(self, moment: datetime) -> datetime:
        """This moment, or when work begins next if what is sent has to wait for that."""
        return self.hours.next(moment, ZoneInfo("UTC")) if self.hours and self.within_hours else moment

    def knows(self, addresses: Collection[str]) -> bool:
        return any(address.lower() in self.contacts for address in addresses)
