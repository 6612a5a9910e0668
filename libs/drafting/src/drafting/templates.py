"""Replies that are honest as they stand: what arrived, what was understood, that the answer is still to come."""

import re
from dataclasses import dataclass, replace

from drafting import red_flags
from drafting.handbook import Manner
from drafting.language import Language, language_of
from drafting.letter import Draft, Letter
from drafting.plain import clean, line, name_of, quotable
from drafting.questions import questions


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language; the wording needs no gender and no choice between two forms of 'you'."""

    hello: dict[str, str]
    to_all: str
    received: str
    points: str
    later: str
    closing: dict[str, str]
    quotes: tuple[str, str]


PHRASES = {
    Language.EN: Phrases(
        hello={"business": "Dear {name},", "personal": "Hi {name},"},
        to_all="Hello,",
        received="Thank you for your message. It has arrived.",
        points="These are the points I have understood:",
        later="I do not have the answer yet and will come back to you when I do.",
        closing={"business": "Kind regards", "personal": "Best wishes"},
        quotes=("“", "”"),
    ),
    Language.DE: Phrases(
        hello={"business": "Guten Tag {name},", "personal": "Hallo {name},"},
        to_all="Guten Tag,",
        received="vielen Dank für die Nachricht. Sie ist angekommen.",
        points="Diese Punkte habe ich verstanden:",
        later="Die Antwort habe ich noch nicht; ich melde mich, sobald ich sie habe.",
        closing={"business": "Mit freundlichen Grüßen", "personal": "Viele Grüße"},
        quotes=("„", "“"),
    ),
    Language.FR: Phrases(
        hello={"business": "Bonjour {name},", "personal": "Bonjour {name},"},
        to_all="Bonjour,",
        received="Merci pour le message, il est bien arrivé.",
        points="Voici les points que j'ai compris :",
        later="Je n'ai pas encore la réponse et reviendrai avec elle dès que je l'aurai.",
        closing={"business": "Cordialement", "personal": "Amicalement"},
        quotes=("« ", " »"),
    ),
    Language.ES: Phrases(
        hello={"business": "Buenos días, {name}:", "personal": "Hola, {name}:"},
        to_all="Buenos días:",
        received="Gracias por el mensaje, ha llegado bien.",
        points="Estos son los puntos que he entendido:",
        later="Todavía no tengo la respuesta y escribiré en cuanto la tenga.",
        closing={"business": "Un cordial saludo", "personal": "Un saludo"},
        quotes=("«", "»"),
    ),
}
WISHES: tuple[tuple[Language | None, re.Pattern[str]], ...] = (
    (None, re.compile(r"\b(?:shorter|short|brief(?:er)?|kürzer|kurz|plus court|court|más corto|corto)\b")),
    (Language.EN, re.compile(r"\b(?:in english|auf englisch|en anglais|en inglés)\b")),
    (Language.DE, re.compile(r"\b(?:in german|auf deutsch|en allemand|en alemán)\b")),
    (Language.FR, re.compile(r"\b(?:in french|auf französisch|en français|en francés)\b")),
    (Language.ES, re.compile(r"\b(?:in spanish|auf spanisch|en espagnol|en español)\b")),
)
_FILLER = re.compile(r"\b(?:please|make it|a bit|much|and|bitte|etwas|und|s'il te plaît|et|por favor|más|y)\b|[\s.,!]")
_INSTRUCTION = re.compile(
    r"(?:please |bitte )?(?:tell|say|ask|write|answer|reply|decline|accept|thank|make|change|remove|add|sag|schreib"
    r"|frag|antworte|lehne|dis|demande|réponds|refuse|dile|pregunta|responde|rechaza)\b",
    re.I,
)
_OPENS = re.compile(
    r"(?:hi|hey|hello|dear|good (?:morning|afternoon|evening)|hallo|guten (?:tag|morgen|abend)|liebe[rs]?"
    r"|sehr geehrte[rs]?|bonjour|salut|chère?|hola|buenos días|buenas tardes|estimad[oa])\b[^.?]{0,60}[,:!]?",
    re.I,
)


def write(
    letter: Letter, *, remark: str | None, previous: str | None, by: str, languages: tuple[Language, ...] = (),
    manners: frozenset[Manner] = frozenset(),
) -> Draft:  # fmt: skip
    """With a remark its words are the answer, unless it only wishes for a language or for brevity.

    `languages` are those the owner writes; none means any. `manners` go before what is usual for the account.
    """
    if manners & {Manner.FORMAL, Manner.INFORMAL}:
        letter = replace(letter, to_account="business" if Manner.FORMAL in manners else "personal")
    words = clean(remark or "").strip()
    wishes = wishes_in(words)
    if words and wishes is None:
        return _answer(letter, words, by, languages)
    language = next((wish for wish in wishes or () if wish), None) or _language(letter, languages)
    return _holding(
        letter,
        language,
        short=None in (wishes or ()) or Manner.SHORT in manners,
        rewritten=bool(wishes and previous),
        by=by,
    )


def wishes_in(remark: str) -> tuple[Language | None, ...] | None:
    """The wishes of a remark that holds nothing else (None is brevity), or None for any other remark."""
    left, found = remark.lower(), []
    for wish, pattern in WISHES:
        left, count = pattern.subn("", left)
        found += [wish] * bool(count)
    return tuple(found) if found and not _FILLER.sub("", left) else None


def _answer(letter: Letter, words: str, by: str, languages: tuple[Language, ...]) -> Draft:
    phrases = PHRASES[language_of(words) if len(words) > 60 else _language(letter, languages)]
    first, last = words.split("\n")[0], words.split("\n")[-1]
    parts = [] if _OPENS.fullmatch(first) else [_hello(letter, phrases)]
    parts.append(words)
    if line(letter.account_name, 80).casefold() not in last.casefold():
        parts.append(_closing(letter, phrases))
    warnings = ("the remark stands in the draft word for word: it reads like an instruction",)
    return Draft(clean("\n\n".join(parts)), (), by, warnings if _INSTRUCTION.match(words) else ())


def _holding(letter: Letter, language: Language, *, short: bool, rewritten: bool, by: str) -> Draft:
    phrases, asked = PHRASES[language], questions(letter)
    flags = red_flags.orders(letter) + red_flags.demands(letter)
    parts = [_hello(letter, phrases), phrases.received]
    if not flags:
        points = [q for q in asked if quotable(q)]
        opening, ending = phrases.quotes
        if points and not short:
            parts += [phrases.points, "\n".join(f"- {opening}{point}{ending}" for point in points)]
        parts.append(phrases.later)
    parts.append(_closing(letter, phrases))
    unknowns = [f"the answer to: {question}" for question in asked]
    if flags:
        unknowns = ["whether to answer at all"]
    elif not unknowns:
        unknowns = ["what to answer"]
    if rewritten:
        unknowns.append("what the previous draft said: this one was written anew")
    return Draft(clean("\n\n".join(parts)), tuple(unknowns), by, tuple(f"the mail {flag}" for flag in flags))


def _language(letter: Letter, allowed: tuple[Language, ...]) -> Language:
    found = language_of(f"{letter.subject}\n{letter.text}")
    return found if found in allowed or not allowed else allowed[0]


def _hello(letter: Letter, phrases: Phrases) -> str:
    name = name_of(letter.sender_name)
    return phrases.hello[letter.to_account].format(name=name) if name else phrases.to_all


def _closing(letter: Letter, phrases: Phrases) -> str:
    return f"{phrases.closing[letter.to_account]}\n{line(letter.account_name, 80)}"
