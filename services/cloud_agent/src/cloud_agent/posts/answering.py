"""What somebody said to us on a network: what it is, and the few words that may answer it without the owner's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from drafting import Kind, Letter, Triage, red_flags
from drafting.handbook.topics import TOPICS, is_about
from drafting.language import Language, language_of
from drafting.plain import legible
from drafting.questions import questions


class Said(StrEnum):
    """What a mention or comment is."""

    THANKS = "thanks"
    QUESTION = "question"
    SPAM = "spam"
    OWNERS = "the owner's"


OWNERS = ("legal", "medical", "emotional", "money", "complaints", "press", "staff", "contracts", "prices")
"""Topics that no machine answers in public."""
WORDS = {
    Said.THANKS: {
        Language.EN: "Thank you, we are glad to hear that!",
        Language.DE: "Vielen Dank, das freut uns!",
        Language.FR: "Merci, cela nous fait plaisir !",
        Language.ES: "¡Gracias, nos alegra mucho!",
    },
    Said.QUESTION: {
        Language.EN: "Thank you for asking. We will come back to you here with the answer.",
        Language.DE: "Danke für die Frage. Die Antwort folgt hier.",
        Language.FR: "Merci pour la question. La réponse suivra ici.",
        Language.ES: "Gracias por la pregunta. La respuesta llegará aquí.",
    },
}
_THANKS = re.compile(
    r"\b(?:thanks?|thank you|love (?:it|this)|well done|congrat\w*|great (?:job|work|service|news)|dank\w*|toll\w*"
    r"|glückwunsch|super|merci|bravo|félicitations|gracias|enhorabuena|genial)\b"
)


@dataclass(frozen=True)
class Judged:
    """`why` is in our words, never in the stranger's."""

    said: Said
    why: str


def judge(letter: Letter, triage: Triage) -> Judged:
    """By rules first: orders, and what only the owner may answer, count whatever the drafter found."""
    if orders := red_flags.orders(letter):
        return Judged(Said.OWNERS, f"it {orders[0]}")
    if demands := red_flags.demands(letter):
        return Judged(Said.OWNERS, f"it {demands[0]}")
    if topics := [topic for topic in OWNERS if topic in TOPICS and is_about(letter, topic)]:
        return Judged(Said.OWNERS, f"it is about {', '.join(topics)}")
    if triage.kind is Kind.NEEDS_OWNER:
        return Judged(Said.OWNERS, triage.reason)
    if triage.kind is Kind.SPAM:
        return Judged(Said.SPAM, "it reads like spam")
    if questions(letter):
        return Judged(Said.QUESTION, "somebody asks a question")
    if _THANKS.search(legible(letter.text[:2_000])):
        return Judged(Said.THANKS, "somebody thanks or praises")
    return Judged(Said.OWNERS, "it neither asks nor thanks")


def words_for(judged: Judged, letter: Letter) -> str:
    """Ours alone: nothing of what the stranger wrote stands in them."""
    return WORDS[judged.said][language_of(letter.text)]
