"""A memory note as a drafter uses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drafting.language import Language
from drafting.memory.lines import LANGUAGES, Key, Line, line_in
from drafting.plain import clean

READ = 8_000
"""Characters of a note that are read, and shown to a model."""
FAMILIAR, POLITE = frozenset({"du", "tu", "tú"}), frozenset({"sie", "vous", "usted"})


@dataclass(frozen=True, slots=True)
class Memory:
    """What counts of one or several notes, the nearest first; `text` is all of them, for a model."""

    lines: tuple[Line, ...] = ()
    text: str = ""

    def over(self, other: Memory) -> Memory:
        """Both; where they differ, this one."""
        return Memory((*self.lines, *other.lines), "\n".join(part for part in (self.text, other.text) if part))

    def greeting(self, language: Language) -> str:
        """As the owner opens a mail in this language; empty when that is not known."""
        return self._one(Key.GREETING, language)

    def sign_off(self, language: Language) -> tuple[str, ...]:
        """The lines that end a mail, with or without the name."""
        return tuple(part.strip() for part in self._one(Key.SIGN_OFF, language).split(" / ") if part.strip())

    @property
    def familiar(self) -> bool | None:
        """Whether the owner says du; None when that is not known."""
        form = self._one(Key.FORM, None).casefold()
        return True if form in FAMILIAR else False if form in POLITE else None

    @property
    def language(self) -> Language | None:
        """In which the owner writes to this contact, whatever the mail is in."""
        return LANGUAGES.get(self._one(Key.LANGUAGE, None).title())

    @property
    def shorter(self) -> bool:
        return self._one(Key.LENGTH, None).casefold() == "shorter"

    @property
    def left_out(self) -> frozenset[str]:
        """Sentences in small letters."""
        return frozenset(line.text.casefold() for line in self.lines if line.key is Key.LEAVE_OUT and line.counts)

    @property
    def added(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.text for line in self.lines if line.key is Key.ADD and line.counts))

    def _one(self, key: Key, language: Language | None) -> str:
        found = (line.text for line in self.lines if line.key is key and line.language is language and line.counts)
        return next(found, "")


NOTHING = Memory()


def read(content: str) -> Memory:
    """Whatever the owner made of the note: lines that are none are for people and for a model alone."""
    text = content[:READ]
    return Memory(tuple(_lines(text)), clean(text))


def _lines(text: str) -> Iterator[Line]:
    for words in text.replace("\r\n", "\n").split("\n"):
        if line := line_in(words):
            yield line
