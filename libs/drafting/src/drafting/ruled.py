"""A drafter held to the owner's handbook: what it may judge, for whom it may draft, and how a draft is signed."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from drafting import handbook as handbooks
from drafting.handbook import Effect, MailRule
from drafting.handbook.whom import By
from drafting.language import Language, language_of, surely
from drafting.letter import Draft, Drafter, DrafterRefused, Kind, Letter, Priority, Triage
from drafting.offline import OfflineDrafter
from drafting.posts import Brief, PostText, Proposed, Writer

DISCLOSED = {
    Language.EN: "This answer was drafted by software; {name} read and approved it.",
    Language.DE: "Diese Antwort wurde von einer Software entworfen; {name} hat sie gelesen und freigegeben.",
    Language.FR: "Cette réponse a été rédigée par un logiciel ; {name} l'a lue et approuvée.",
    Language.ES: "Esta respuesta la redactó un programa; {name} la leyó y la aprobó.",
}
_BY_OWNER = {
    Effect.ASK: "always ask", Effect.NEVER: "never draft for this", Effect.OWNER: "the owner only",
}  # fmt: skip
_WEAK = frozenset({By.TOPIC, By.CONTACT, By.STRANGER, By.ANYBODY, By.ACCOUNT, By.MAILBOX})
"""What fits by chance: it takes no bill from the books and no advertisement out of the bin."""


class NotToDraft(DrafterRefused):
    """The handbook forbids it: the reason is for the owner."""

    def __init__(self, rule: MailRule) -> None:
        super().__init__("the handbook forbids it")
        self.reason = f"line {rule.line} of your handbook: {_BY_OWNER[rule.effect]}"


class Ruled:
    """Any drafter, with the handbook above it."""

    def __init__(self, drafter: Drafter) -> None:
        self._drafter = drafter

    def triage(self, letter: Letter, *, handbook: str) -> Triage:
        """What the drafter judged, and what a rule makes of it. An attempt to give orders stays with the owner."""
        handbook = handbooks.text_for(handbook, letter.to_account, letter.mailbox)
        triage = self._drafter.triage(letter, handbook=handbook)
        rule = handbooks.read(handbook).about(letter)
        return triage if rule is None else _judged(triage, rule)

    def draft(self, letter: Letter, *, handbook: str, remark: str | None, previous: str | None) -> Draft:
        """Signed and disclosed as the handbook says. Raises NotToDraft besides what the drafter raises."""
        handbook = handbooks.text_for(handbook, letter.to_account, letter.mailbox)
        rules = handbooks.read(handbook)
        rule = rules.about(letter)
        if rule is not None and rule.effect is Effect.NEVER:
            raise NotToDraft(rule)
        signed = rules.signature(letter.to_account)
        named = replace(letter, account_name=signed) if signed else letter
        draft = self._drafter.draft(named, handbook=handbook, remark=remark, previous=previous)
        written = surely(draft.text)
        if rules.languages and written and written not in rules.languages and not remark:
            warning = f"the draft is in {written.english}, which your handbook does not list"
            draft = replace(draft, warnings=(*draft.warnings, warning))
        if rules.disclose:
            told = DISCLOSED[language_of(draft.text)].format(name=letter.account_name)
            draft = replace(draft, text=f"{draft.text}\n{told}\n")
        if rule is not None and rule.warn and rules.contacts:
            draft = replace(draft, warnings=(*draft.warnings, f"line {rule.line} of your handbook wants a second look"))
        return draft

    def post(self, brief: Brief, *, handbook: str, fits: Callable[[str], object]) -> PostText:
        """Posts are business: no other section of the handbook is shown."""
        handbook = handbooks.text_for(handbook, "business")
        return self._writer().post(brief, handbook=handbook, fits=fits)

    def steps(self, wish: str, *, handbook: str, fits: Callable[[Sequence[str]], object]) -> Proposed:
        """A plan is of neither account: what holds for all is shown."""
        return self._writer().steps(wish, handbook=handbooks.in_scope(handbook, None), fits=fits)

    def _writer(self) -> Writer:
        return self._drafter if isinstance(self._drafter, Writer) else OfflineDrafter()


def _judged(triage: Triage, rule: MailRule) -> Triage:
    weak = rule.whom.by in _WEAK
    if rule.effect in _BY_OWNER:
        if weak and triage.kind in (Kind.INVOICE, Kind.NEWSLETTER, Kind.SPAM):
            return triage
        reason = f"line {rule.line} of your handbook: {_BY_OWNER[rule.effect]}; {triage.reason}"
        urgent = rule.effect is Effect.OWNER or rule.priority is Priority.HIGH
        return Triage(Kind.NEEDS_OWNER, Priority.HIGH if urgent else triage.priority, reason, triage.by)
    if triage.kind is Kind.NEEDS_OWNER:
        return triage
    if rule.effect is Effect.FILE and not weak and triage.kind is Kind.REPLY_WANTED:
        reason = f"line {rule.line} of your handbook: no reply; {triage.reason}"
        return Triage(Kind.INFORMATIONAL, rule.priority or Priority.LOW, reason, triage.by)
    if rule.priority is Priority.HIGH and not weak:
        return replace(triage, priority=Priority.HIGH, reason=f"{triage.reason}; line {rule.line} of your handbook")
    return triage
