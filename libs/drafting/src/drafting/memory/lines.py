"""The lines of a memory note: `- Greeting in English: Hi Jane,` or `- Leave out, seen 2 times: It has arrived.`"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from drafting.language import Language
from drafting.plain import line as one_line

LONGEST = 200
"""Characters of what one line says."""


class Key(StrEnum):
    """What a line is about; the value is how the note says it."""

    GREETING = "Greeting"
    SIGN_OFF = "Sign-off"
    FORM = "Form"
    LANGUAGE = "Language"
    LENGTH = "Length"
    LEAVE_OUT = "Leave out"
    ADD = "Add"


SEVERAL = frozenset({Key.LEAVE_OUT, Key.ADD})
"""Of these a note may hold several lines, of the others one (for each language)."""
COUNTED = frozenset({Key.LENGTH, *SEVERAL})
"""What happens once by chance: it counts from the second time on, or when the owner wrote it without a number."""
OFTEN = 2
LANGUAGES = {language.english: language for language in Language}
_KEYS = {key.value.casefold(): key for key in Key}
_LINE = re.compile(
    r"\s{0,3}[-*+] (?P<key>[A-Za-z][A-Za-z -]{2,12}?)(?: in (?P<language>[A-Za-z]+))?"
    r"(?:, seen (?P<seen>\d{1,4}) times?)?\s*: *(?P<text>\S.*)"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing learned. `seen` is how often, None when the owner wrote the line."""

    key: Key
    text: str
    language: Language | None = None
    seen: int | None = None

    @property
    def counts(self) -> bool:
        """Whether a draft follows it already."""
        return self.key not in COUNTED or self.seen is None or self.seen >= OFTEN

    def same_as(self, other: Line) -> bool:
        """Whether the one takes the place of the other in a note."""
        if (self.key, self.language) != (other.key, other.language):
            return False
        return self.key not in SEVERAL or self.text.casefold() == other.text.casefold()

    def shown(self) -> str:
        """As the note has it."""
        where = f" in {self.language.english}" if self.language else ""
        often = "" if self.seen is None else f", seen {self.seen} time{'s' if self.seen != 1 else ''}"
        return f"- {self.key.value}{where}{often}: {self.text}"


def line_in(words: str) -> Line | None:
    """What a line of a note says; None for any other text."""
    found = _LINE.fullmatch(words.rstrip())
    key = _KEYS.get(found["key"].strip().casefold()) if found else None
    if found is None or key is None:
        return None
    language = LANGUAGES.get(found["language"].title()) if found["language"] else None
    if found["language"] and language is None:
        return None
    text = one_line(found["text"], LONGEST)
    return Line(key, text, language, int(found["seen"]) if found["seen"] else None) if text else None
