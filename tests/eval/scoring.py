"""One drafter over all labelled mails: what it got right, what it invented, and how long it took."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from drafting import Drafter, DrafterRefused, DrafterUnavailable, Kind
from drafting.language import Language
from tests.eval.grading import INVENTIONS, Fault, faults
from tests.eval.labelled import Mail


@dataclass
class Score:
    """Of one drafter. `confusion` counts (right kind, given kind)."""

    name: str
    confusion: Counter[tuple[Kind, Kind]] = field(default_factory=Counter)
    held_out: Counter[bool] = field(default_factory=Counter)
    languages: Counter[tuple[Language, bool]] = field(default_factory=Counter)
    drafts: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    faulty: int = 0
    refused: int = 0
    triage_ms: list[float] = field(default_factory=list)
    draft_ms: list[float] = field(default_factory=list)
    tokens: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        return sum(n for (right, given), n in self.confusion.items() if right is given) / self.confusion.total()

    @property
    def held_accuracy(self) -> float:
        return self.held_out[True] / self.held_out.total()

    @property
    def inventions(self) -> int:
        return sum(self.faults[fault] for fault in INVENTIONS)

    @property
    def hidden(self) -> int:
        """Mails that matter, taken out of the owner's sight: the one error that costs more than a look."""
        out = (Kind.SPAM, Kind.NEWSLETTER)
        return sum(n for (right, given), n in self.confusion.items() if right not in out and given in out)

    def median_ms(self, which: Sequence[float]) -> float:
        return median(which) if which else 0.0


def score(name: str, drafter: Drafter, mails: Sequence[Mail], *, spent: Callable[[], int] = lambda: 0) -> Score:
    """Every mail is judged; every mail that wants a reply is drafted, whatever the judgement was."""
    found = Score(name)
    for mail in mails:
        begun = time.perf_counter()
        try:
            given = drafter.triage(mail.letter, handbook="").kind
        except (DrafterRefused, DrafterUnavailable):
            found.refused += 1
            given = Kind.NEEDS_OWNER
        found.triage_ms.append((time.perf_counter() - begun) * 1000)
        right = given is mail.kind
        found.confusion[mail.kind, given] += 1
        found.languages[mail.languages[0], right] += 1
        if mail.held_out:
            found.held_out[right] += 1
        elif not right:
            found.wrong.append(f"{mail.kind.value} taken for {given.value}: {mail.letter.subject}")
        if mail.kind is Kind.REPLY_WANTED:
            _draft(found, drafter, mail, mails)
    found.tokens = spent()
    return found


def _draft(found: Score, drafter: Drafter, mail: Mail, mails: Sequence[Mail]) -> None:
    others = {word for one in mails if one.by_person for word in one.letter.sender_name.split()}
    begun = time.perf_counter()
    try:
        draft = drafter.draft(mail.letter, handbook="", remark=None, previous=None)
    except (DrafterRefused, DrafterUnavailable):
        found.refused += 1
        return
    found.draft_ms.append((time.perf_counter() - begun) * 1000)
    found.drafts += 1
    wrong = faults(mail, draft, other_names=others - set(mail.letter.sender_name.split()))
    found.faults.update(wrong)
    found.faulty += bool(wrong)
    found.wrong += [f"draft to {mail.letter.sender_name}: {fault.value}" for fault in wrong if not mail.held_out]
