"""The default drafter: rules, a small classifier and templates; no network and nothing to install."""

from collections.abc import Callable, Mapping, Sequence

from drafting import bayes, rules, templates
from drafting import handbook as handbooks
from drafting.letter import Draft, Kind, Letter, Triage
from drafting.posts import OWN, Brief, PostText, Proposed
from drafting.questions import questions

BY = "offline"
LOOKS_LIKE = {
    Kind.REPLY_WANTED: "reads as if an answer is expected",
    Kind.INFORMATIONAL: "tells something and asks nothing",
    Kind.INVOICE: "reads like an invoice or a receipt",
    Kind.NEWSLETTER: "reads like a newsletter or an advertisement",
    Kind.SPAM: "reads like spam",
    Kind.NEEDS_OWNER: "is about something only the owner should answer",
}


HIDDEN = (Kind.SPAM, Kind.NEWSLETTER)
SURE = 0.7
"""A mail is taken out of the owner's sight only on a clear verdict."""


class OfflineDrafter:
    """Never unavailable, never refuses."""

    def triage(self, letter: Letter, *, handbook: str) -> Triage:
        """About half a millisecond; the first call trains the classifier, about 0.1 s."""
        shares = bayes.classify(bayes.trained(), letter.subject, letter.text)
        decided = rules.decide(letter)
        if decided is None:
            kind = max((k for k in shares if _may_be(k, shares, letter)), key=lambda k: shares[k])
            asks = kind is Kind.REPLY_WANTED and questions(letter)
            decided = kind, ("asks a question" if asks else LOOKS_LIKE[kind],)
        kind, why = decided
        priority, urgency = rules.priority(kind, letter, handbook=handbook)
        return Triage(kind, priority, "; ".join(why + urgency), BY)

    def draft(self, letter: Letter, *, handbook: str, remark: str | None, previous: str | None) -> Draft:
        """A holding reply, or the owner's remark as the answer."""
        rules = handbooks.read(handbook)
        return templates.write(
            letter, remark=remark, previous=previous, by=BY, languages=rules.languages, manners=rules.manners
        )

    def post(self, brief: Brief, *, handbook: str, fits: Callable[[str], object]) -> PostText:
        """The owner's words as they stand; what does not fit is the caller's to cut."""
        return PostText(brief.words, OWN)

    def steps(self, wish: str, *, handbook: str, fits: Callable[[Sequence[str]], object]) -> Proposed:
        """None: the owner lists them."""
        return Proposed((), BY)


def _may_be(kind: Kind, shares: Mapping[Kind, float], letter: Letter) -> bool:
    return rules.allowed(kind, letter) and (kind not in HIDDEN or shares[kind] >= SURE)
