"""The model, then a cheaper one, then the offline drafter: the first that the budget has room for and that answers in
time. What was written says who wrote it and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import TypeVar

from drafting import handbook as handbooks
from drafting.budget import meter
from drafting.budget.caps import Caps, Price
from drafting.budget.ledger import Ledger, OverCap
from drafting.budget.task import current
from drafting.letter import Draft, Drafter, DrafterLate, Letter, Triage
from drafting.offline import OfflineDrafter
from drafting.posts import Brief, PostText, Proposed, Writer

AnswerT = TypeVar("AnswerT", Draft, Triage, PostText, Proposed)


@dataclass(frozen=True)
class Tier:
    """A drafter that costs something. Once `share` of a cap is spent it is asked no more."""

    drafter: Drafter
    model: str
    price: Price | None = None
    share: float = 1.0


class Thrifty:
    """Raises what a tier's drafter raises, but for a cap, and for a late answer when `late_goes_offline`."""

    def __init__(
        self, tiers: Sequence[Tier], last: Drafter, ledger: Ledger, caps: Caps, zone: tzinfo, *, late_goes_offline: bool
    ) -> None:
        """`last` costs nothing."""
        self._tiers, self._last, self._ledger = tuple(tiers), last, ledger
        self._caps, self._zone, self._late_goes_offline = caps, zone, late_goes_offline

    def triage(self, letter: Letter, *, handbook: str) -> Triage:
        """Said in the reason when it was not the first tier."""

        def asked(drafter: Drafter) -> Triage:
            return drafter.triage(letter, handbook=handbook)

        found, why = self._first(handbook, asked)
        return replace(found, reason=f"{found.reason}; by {found.by}: {why}") if why else found

    def draft(self, letter: Letter, *, handbook: str, remark: str | None, previous: str | None) -> Draft:
        """`because` says why it was not the first tier."""

        def asked(drafter: Drafter) -> Draft:
            return drafter.draft(letter, handbook=handbook, remark=remark, previous=previous)

        found, why = self._first(handbook, asked)
        return replace(found, because=why) if why else found

    def post(self, brief: Brief, *, handbook: str, fits: Callable[[str], object]) -> PostText:
        """As `draft`; past the cap these are the owner's own words."""

        def asked(drafter: Drafter) -> PostText:
            return _writer(drafter).post(brief, handbook=handbook, fits=fits)

        found, why = self._first(handbook, asked)
        return replace(found, because=why) if why else found

    def steps(self, wish: str, *, handbook: str, fits: Callable[[Sequence[str]], object]) -> Proposed:
        """As `draft`; past the cap there are none."""

        def asked(drafter: Drafter) -> Proposed:
            return _writer(drafter).steps(wish, handbook=handbook, fits=fits)

        found, why = self._first(handbook, asked)
        return replace(found, because=why) if why else found

    def _first(self, handbook: str, ask: Callable[[Drafter], AnswerT]) -> tuple[AnswerT, str]:
        rules, task = handbooks.read(handbook), current()
        zone, caps, why, over = rules.zone(self._zone), self._caps.lowered(rules.caps), "", None
        for tier in self._tiers:
            purse = meter.Purse(self._ledger, task, tier.model, caps, zone, tier.price, tier.share)
            try:
                with meter.paying(purse):
                    return ask(tier.drafter), why
            except OverCap as error:
                over, why = error, str(error)
            except DrafterLate as error:
                if not self._late_goes_offline:
                    raise
                over, why = None, error.reason
                break
        if over is not None:
            self._ledger.note(over, task, zone)
        return ask(self._last), why


def _writer(drafter: Drafter) -> Writer:
    return drafter if isinstance(drafter, Writer) else OfflineDrafter()
