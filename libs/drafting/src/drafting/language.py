"""Which of four languages a mail is in, by counting its stop words."""

import re
from enum import StrEnum


class Language(StrEnum):
    """The languages the offline drafter writes."""

    EN = "en"
    DE = "de"
    FR = "fr"
    ES = "es"

    @property
    def english(self) -> str:
        return {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}[self]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOP_WORDS = {
    Language.EN: _words(
        "the and you your to of for is are we have with this that not from will would can on it our please be at"
        " if by or my an was has do me in as but they he she there what when which who how just so some any"
    ),
    Language.DE: _words(
        "der die das und ist sie ich wir nicht ein eine einen für mit auf zu von den dem im uns ihnen ihr ihre auch"
        " bitte wie wann oder haben noch bei aus am es sind wird werden zum zur nach kann können um dass sich als"
        " ihrer ihren unser unsere euch dir du mir bis"
    ),
    Language.FR: _words(
        "le la les et vous est nous je ne pas pour avec des une un du de dans votre vos notre que qui sur bonjour"
        " merci au aux ce cette ou il elle se si plus par être avez avons sont sera tu ton on en mon"
    ),
    Language.ES: _words(
        "el la los las y de que es en un una para con por su sus no se del al lo nos usted está hola gracias como"
        " cuando más este esta son ha han le les si muy hay puede qué te tu me mi sin"
    ),
}
ALL_STOP_WORDS = frozenset().union(*STOP_WORDS.values())
WORD = re.compile(r"[^\W\d_]+")
MARKS = {
    Language.ES: re.compile("[¿¡ñ]"),
    Language.DE: re.compile("[ßäöü]"),
    Language.FR: re.compile("[çèêàù]"),
}


def language_of(text: str) -> Language:
    """The language with the most stop words in the first 3,000 characters; English unless two or more lead."""
    counts = _counts(text)
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] >= max(2, counts[Language.EN] + 1) else Language.EN


def surely(text: str) -> Language | None:
    """The language that leads by three stop words; None for a text too short or too mixed to tell."""
    counts = _counts(text)
    second, best = sorted(counts, key=lambda language: counts[language])[-2:]
    return best if counts[best] >= counts[second] + 3 else None


def _counts(text: str) -> dict[Language, int]:
    """Stop words of each language in the first 3,000 characters; its own letters count for two."""
    text = text[:3_000].lower()
    words = WORD.findall(text)
    return {
        language: sum(word in known for word in words) + (2 if _marked(language, text) else 0)
        for language, known in STOP_WORDS.items()
    }


def _marked(language: Language, text: str) -> bool:
    mark = MARKS.get(language)
    return bool(mark and mark.search(text))
