"""What an edit teaches: the drafter's text held against the owner's. Words of the mail never become a lesson."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from drafting.language import Language, language_of
from drafting.memory.lines import LONGEST, Key, Line
from drafting.plain import clean, line, quotable
from drafting.ruled import DISCLOSED
from drafting.templates import OPENS, PHRASES
from vault_protocol import scan

READ = 50_000
"""Characters of each text that are looked at."""
MOST_ADDED = 4
"""An edit that adds more sentences than that is an answer and no habit."""
_NAMED = re.compile(r"[^\W\d_][^\d@/\\<>\[\]{}|:;!?()*_~^=+]{0,59}")
_BREAK = re.compile(r"(?<=[.!?…])\s+|\n+")
_POINT = re.compile(r"\s*(?:>|[-*•] |\d{1,2}[.)] )")
_STOCK = re.compile(
    r"i hope (?:this|you|that)\b.{0,60}|(?:please )?do not hesitate to\b.{0,60}|please (?:feel free|let me)\b.{0,60}"
    r"|(?:ich hoffe|hoffentlich)\b.{0,60}|(?:bitte )?zögern sie nicht\b.{0,60}|j'espère\b.{0,60}|n'hésitez pas\b.{0,60}"
    r"|espero que\b.{0,60}|no dude en\b.{0,60}|thank you for your (?:mail|message|e-mail|patience)\b.{0,40}",
    re.I,
)
"""Courtesies that drafters like. Nobody learns a sentence that a mail may have put into a draft."""
_FORMS: tuple[tuple[Language, str, re.Pattern[str]], ...] = (
    (Language.DE, "du", re.compile(r"\b(?:[Dd]u|[Dd]ir|[Dd]ich|[Dd]ein(?:e[mnrs]?)?)\b")),
    (Language.DE, "Sie", re.compile(r"\b(?:Ihnen|(?<=[a-zäöüß,] )(?:Sie|Ihre?[mnrs]?))\b")),
    (Language.FR, "tu", re.compile(r"\b(?:tu|toi|tes?|ton|ta)\b", re.I)),
    (Language.FR, "vous", re.compile(r"\b(?:vous|vos|votre)\b", re.I)),
    (Language.ES, "tú", re.compile(r"\b(?:tú|tus?|contigo|ti)\b", re.I)),
    (Language.ES, "usted", re.compile(r"\b(?:usted|ustedes)\b", re.I)),
)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A text of a mail, taken apart; greeting and sign-off are empty when it has none that is sure."""

    greeting: str
    body: tuple[str, ...]
    sign_off: str


def lessons(draft: str, sent: str, *, mail: str) -> tuple[Line, ...]:
    """What the owner changed, as lines of a note. `mail` is all that came from outside: original and quotes."""
    draft, sent = clean(draft[:READ]), clean(sent[:READ])
    if not sent or draft == sent or scan.provider_secrets(sent):
        return ()
    before, after = _parts(draft), _parts(sent)
    stranger = _flat(mail[:READ])
    return tuple(_lessons(before, after, stranger))


def for_a_topic(found: tuple[Line, ...]) -> tuple[Line, ...]:
    """Those that hold no word of the owner to this contact: what concerns our own phrases, and how long a mail is."""
    return tuple(one for one in found if one.key in (Key.LEAVE_OUT, Key.LENGTH))


def _lessons(before: _Parts, after: _Parts, stranger: str) -> Iterator[Line]:
    written = " ".join(after.body)
    language = language_of(f"{written}\n{after.greeting}\n{after.sign_off}")
    if after.greeting and after.greeting != before.greeting:
        yield Line(Key.GREETING, after.greeting, language)
    if after.sign_off and after.sign_off != before.sign_off:
        yield Line(Key.SIGN_OFF, after.sign_off, language)
    if len(written.split()) >= 8 and before.body and language is not language_of(" ".join(before.body)):
        yield Line(Key.LANGUAGE, language.english)
    known = {_flat(one) for one in before.body}
    own = [one for one in after.body if _flat(one) not in known and _flat(one) not in stranger]
    forms = {form for of, form, words in _FORMS if of is language and words.search(" ".join(own))}
    if len(forms) == 1:
        yield Line(Key.FORM, forms.pop())
    yield from _habits(before, after, own)


def _habits(before: _Parts, after: _Parts, own: list[str]) -> Iterator[Line]:
    """What counts from the second time on. Of a draft that was mostly thrown away nothing is left out."""
    written = {_flat(one) for one in after.body}
    gone = [one for one in before.body if _flat(one) not in written]
    if before.body and 2 * len(gone) <= len(before.body):
        was, now = sum(map(len, before.body)), sum(map(len, after.body))
        if was >= 100 and now < 0.75 * was:
            yield Line(Key.LENGTH, "shorter", seen=1)
        for one in gone:
            if _is_ours(one):
                yield Line(Key.LEAVE_OUT, one, seen=1)
    if len(own) <= MOST_ADDED:
        for one in own:
            if _is_a_habit(one):
                yield Line(Key.ADD, one, seen=1)


def _is_ours(sentence: str) -> bool:
    return _flat(sentence) in _OURS or bool(_STOCK.fullmatch(sentence) and quotable(sentence))


def _is_a_habit(sentence: str) -> bool:
    """A sentence that may stand in another mail: no figure, no address, no link, nothing unusual, no question."""
    plain = quotable(sentence) and not any(sign.isdigit() for sign in sentence)
    return plain and 12 <= len(sentence) <= LONGEST - 40 and sentence.endswith((".", "!"))


def _parts(text: str) -> _Parts:
    """The disclosure that an AI drafted it is ours, and no part of it."""
    paragraphs = [part.strip("\n") for part in re.split(r"\n\s*\n", text.strip("\n")) if part.strip()]
    if paragraphs and any(told.fullmatch(" ".join(paragraphs[-1].split())) for told in _DISCLOSED):
        del paragraphs[-1]
    greeting = sign_off = ""
    if paragraphs:
        first, _, rest = paragraphs[0].partition("\n")
        if OPENS.fullmatch(first.strip()) and quotable(first) and len(first) <= 80:
            greeting = line(first, 80)
            paragraphs[0:1] = [rest] if rest.strip() else []
    if paragraphs and (found := _sign_off(paragraphs[-1])):
        sign_off = found
        del paragraphs[-1]
    kept = (words for part in paragraphs for words in part.split("\n") if not _POINT.match(words))
    body = tuple(one.strip() for one in _BREAK.split("\n".join(kept)) if any(sign.isalpha() for sign in one))
    return _Parts(greeting, body, sign_off)


def _sign_off(paragraph: str) -> str:
    """At most three short lines of words and a name; empty for anything that says more."""
    lines = [words.strip() for words in paragraph.split("\n") if words.strip()]
    fits = all(_NAMED.fullmatch(words) and quotable(words) and not words.endswith(".") for words in lines)
    return " / ".join(lines) if len(lines) <= 3 and fits else ""


def _flat(text: str) -> str:
    return " ".join(text.split()).casefold()


_OURS = frozenset(
    _flat(sentence)
    for phrases in PHRASES.values()
    for phrase in (phrases.received, phrases.points, phrases.later)
    for sentence in _BREAK.split(phrase)
)
_DISCLOSED = tuple(re.compile(re.escape(told).replace(r"\{name\}", ".{1,80}")) for told in DISCLOSED.values())
