"""Whether a draft is fit to be sent, by rules that need no model. Each fault is named; none is weighed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import StrEnum

from drafting import Draft
from drafting.inventions import DAYS, NUMBER, PROMISES
from drafting.language import language_of
from tests.eval.labelled import OWNER, Mail


class Fault(StrEnum):
    """What is wrong with a draft. The first four are inventions."""

    NUMBER = "a number that nobody gave"
    DATE = "a day or month that nobody gave"
    NAME = "a name that nobody gave"
    PROMISE = "a promise nobody made"
    UNANSWERED = "a question neither taken up nor passed on to the owner"
    LANGUAGE = "another language than the mail's"
    ADDRESSEE = "not addressed to the sender"
    UNSIGNED = "not signed by the owner"


INVENTIONS = frozenset({Fault.NUMBER, Fault.DATE, Fault.NAME, Fault.PROMISE})

_WORD = re.compile(r"[^\W\d_]+")
_KNOWN_SHARE = 0.5
"""Of the words of a question, to be found in the draft or among what it passes on."""


def faults(mail: Mail, draft: Draft, *, other_names: Collection[str], told: str = "") -> frozenset[Fault]:
    """`other_names` are the words of all other people's names, `told` what a handbook or remark lets be said."""
    return frozenset(_faults(mail, draft, other_names, told))


def _faults(mail: Mail, draft: Draft, other_names: Collection[str], told: str) -> Iterator[Fault]:
    letter = mail.letter
    given = "\n".join(
        (letter.sender_name, letter.subject, letter.text, letter.quoted, OWNER, told, *letter.attachments)
    )
    body, words = draft.text.casefold(), _words(given)
    if set(NUMBER.findall(draft.text)) - set(NUMBER.findall(given)):
        yield Fault.NUMBER
    if {day.casefold() for day in DAYS.findall(draft.text)} - {day.casefold() for day in DAYS.findall(given)}:
        yield Fault.DATE
    strange = {name for name in other_names if name.casefold() not in words}
    if strange & set(_WORD.findall(draft.text)):
        yield Fault.NAME
    quoted = given.casefold()
    if any(found[0].casefold() not in quoted for found in PROMISES.finditer(draft.text)):
        yield Fault.PROMISE
    passed_on = _words(draft.text + " ".join(draft.unknowns))
    if any(not _taken_up(asked, passed_on) for asked in mail.questions):
        yield Fault.UNANSWERED
    if language_of(_unquoted(draft.text)) not in mail.languages:
        yield Fault.LANGUAGE
    first = draft.text.split("\n", 1)[0]
    if mail.by_person and not _words(letter.sender_name) & _words(first):
        yield Fault.ADDRESSEE
    if OWNER.casefold() not in body[-120:]:
        yield Fault.UNSIGNED


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}


def _taken_up(asked: str, words: Collection[str]) -> bool:
    wanted = _words(asked)
    return len(wanted & set(words)) >= _KNOWN_SHARE * len(wanted)


def _unquoted(text: str) -> str:
    """Without the sender's own words, which may be in any language."""
    return re.sub(r"^- [“„«].*$", "", text, flags=re.MULTILINE)
