"""Whether the hub takes what this machine writes, or answers and says no to what the rules here allow.

Local judges before it publishes, so a hub that is honest hardly ever says no. By a few rules it may; whether it is one
of those, or a word for everything, shows by a line of our own with the time in it, which no rule is about.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from local_agent.home import LOCAL
from vault_protocol import updates
from vault_protocol.canonical import utc
from vault_protocol.clock import Clock
from vault_protocol.errors import Refused
from vault_protocol.hub import Accepted, Rejected
from vault_protocol.journal import Journal
from vault_protocol.plain import one_line

THE_HUBS = frozenset({"approval", "author", "lease", "secret", "size"})
"""Rules by which an honest hub may refuse what is good here: by its clock, keys and bounds, and Cloud's secrets."""

TESTED = timedelta(minutes=10)
"""Between two tests that may be taken, each of which is a commit."""

TESTED_AGAIN = timedelta(minutes=1)
"""Between two tests while the hub takes nothing."""


@dataclass(frozen=True)
class Refusal:
    """What the hub refused first, of what has been refused since then without a word taken."""

    since: datetime
    rule: str
    path: str

    def words(self) -> str:
        """For the owner; the same as long as it lasts."""
        what = f"rule {one_line(self.rule, 40) or '?'}" + (f" at {one_line(self.path, 120)}" if self.path else "")
        return (
            f"the hub refuses since {utc(self.since)} what the rules here allow ({what}): see that it has this version "
            "and the keys of this vault, else distrust it"
        )


class Taking:
    """What the hub said to each publish of a step, and since when it refuses."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.refusal: Refusal | None = None
        self._refused: Rejected | None = None
        self._doubt, self._took, self._testing = False, False, False
        self._tested: datetime | None = None

    def heard(self, answer: Accepted | Rejected) -> None:
        """The hub's answer to a publish that was judged good here."""
        if isinstance(answer, Accepted):
            self._took, self._doubt = True, False
        elif self._testing or answer.rule not in THE_HUBS:
            self._refused = self._refused or answer
        else:
            self._doubt = True

    def test(self, journal: Journal) -> None:
        """See whether it takes anything, where something was refused and nothing was taken since."""
        wanted = self._doubt or ((self.refusal or self._refused) and not self._took)
        now, rest = self._clock.now(), TESTED_AGAIN if self.refusal else TESTED
        if not wanted or (self._tested is not None and now - self._tested < rest):
            return
        self._tested, self._testing = now, True
        try:
            with suppress(Refused):  # `heard` has it
                word = {updates.alive_path(LOCAL): updates.alive(now)}
                journal.publish("test", "whether the hub takes it", lambda _head: word)
        finally:
            self._testing = False

    def settle(self) -> None:
        """The step is over. What was taken beside something refused proves nothing."""
        if self._refused is not None:
            first = Refusal(self._clock.now(), self._refused.rule, self._refused.path)
            self.refusal = self.refusal or first
        elif self._took:
            self.refusal = None
        self._refused, self._took = None, False
