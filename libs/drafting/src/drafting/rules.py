"""The judgements that are made by rule, whichever drafter is used."""

import re

from drafting import red_flags
from drafting.letter import Kind, Letter, Priority
from drafting.plain import legible
from drafting.questions import questions

_LIST = re.compile(r"list-|precedence:\s*(?:bulk|list)", re.I)
_BILL = re.compile(
    r"\b(?:invoice|inv[-_ ]?\d|bill\b|receipt|rechnung|beleg|quittung|mahnung|facture|reçu|factura|recibo)", re.I
)
_BILL_TEXT = re.compile(
    r"\b(?:attached|enclosed|anbei|im anhang|beigefügt|ci-joint|adjunt[ao]\w*)\b.{0,60}"
    r"\b(?:invoice|bill|receipt|\w{0,12}rechnung|facture|factura)"
    r"|\b(?:invoice|bill|receipt|\w{0,12}rechnung|facture|factura)\b.{0,60}"
    r"\b(?:attached|enclosed|anbei|im anhang|beigefügt|ci-joint|adjunt[ao])"
)
_PAPER = (".pdf", ".xml")
_DEADLINE = re.compile(
    r"\b(?:urgent(?:ly|e)?|asap|as soon as possible|today|tonight|tomorrow|deadline|by (?:the end of|monday|tuesday"
    r"|wednesday|thursday|friday|saturday|sunday|noon)|heute|(?<!guten )morgen(?= |[.,!?]|$)|dringend|eilig|frist"
    r"|bis (?:spätestens|montag|dienstag|mittwoch|donnerstag|freitag|morgen|ende)|aujourd'hui|demain|avant (?:lundi"
    r"|mardi|mercredi|jeudi|vendredi)|au plus vite|hoy|(?<!la )(?<!esta )mañana|cuanto antes|antes del?)\b"
)
_LATE = re.compile(r"\b(?:overdue|(?:second|final|last) reminder|mahnung|mahngebühr|impayée?|dernier rappel|vencida)\b")


def decide(letter: Letter) -> tuple[Kind, tuple[str, ...]] | None:
    """The kind of a mail and why, when a rule knows it. What only the owner may give is asked of them, spam or not."""
    if ordered := red_flags.orders(letter):
        return Kind.NEEDS_OWNER, tuple(f"the mail {reason}" for reason in ordered)
    machine = letter.automatic is not None
    if not machine and (demanded := red_flags.demands(letter)):
        return Kind.NEEDS_OWNER, tuple(f"the mail {reason}" for reason in demanded)
    if is_bill(letter):
        return Kind.INVOICE, ("the words of an invoice and a document attached",)
    if letter.automatic is not None and _LIST.search(letter.automatic):
        return Kind.NEWSLETTER, ("sent to a mailing list",)
    return None


def is_bill(letter: Letter) -> bool:
    """An invoice word in the subject, a file name or beside 'attached', and a PDF or XML file."""
    papers = [name for name in letter.attachments if name.lower().endswith(_PAPER)]
    if not papers:
        return False
    named = _BILL.search(letter.subject) or any(_BILL.search(name.replace("_", " ")) for name in papers)
    return bool(named or (_BILL_TEXT.search(legible(letter.text[:2_000])) and not questions(letter)))


def allowed(kind: Kind, letter: Letter) -> bool:
    """Nobody waits for the answer to what a machine sent."""
    return kind is not Kind.REPLY_WANTED or letter.automatic is None


def priority(kind: Kind, letter: Letter, *, handbook: str) -> tuple[Priority, tuple[str, ...]]:
    """How soon the owner should look, and why."""
    text = legible(f"{letter.subject}\n{letter.text[:4_000]}")
    if kind in (Kind.NEWSLETTER, Kind.SPAM):
        return Priority.LOW, ()
    reasons = []
    if kind is Kind.NEEDS_OWNER:
        reasons.append("only the owner can decide this")
    if kind is Kind.INVOICE and (late := _LATE.search(text)):
        reasons.append(f"it is late: '{late.group()}'")
    if kind is Kind.REPLY_WANTED and (due := _DEADLINE.search(text)):
        reasons.append(f"deadline word '{due.group()}'")
    if _named(letter.sender_address, handbook):
        reasons.append("the handbook names this sender")
    if reasons:
        return Priority.HIGH, tuple(reasons)
    return (Priority.LOW if kind is Kind.INFORMATIONAL else Priority.NORMAL), ()


def _named(address: str, handbook: str) -> bool:
    address = address.strip().lower()
    if not re.fullmatch(r"[^\s@]+@[^\s@]+", address):
        return False
    return bool(re.search(rf"(?<![\w.+-]){re.escape(address)}(?![\w-]|\.\w)", handbook.lower()))
