"""Replies that are honest as they stand: what arrived, what was understood, that the answer is still to come."""

import re
from dataclasses import dataclass, replace

from drafting import red_flags
from drafting.handbook import Manner
from drafting.language import Language, language_of
from drafting.letter import Draft, Letter
from drafting.memory import Memory
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
OPENS = re.compile(
    r"(?:hi|hey|hello|dear|good (?:morning|afternoon|evening)|hallo|guten (?:tag|morgen|abend)|liebe[rs]?"
    r"|sehr geehrte[rs]?|bonjour|salut|chère?|hola|buenos días|buenas tardes|estimad[oa])\b[^.?]{0,60}[,:!]?",
    re.I,
)
_SENTENCES = re.compile(r"(?<=[.!?])\s+")


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
        short=None in (wishes or ()) or Manner.SHORT in manners or letter.background.memory.shorter,
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
    language = language_of(words) if len(words) > 60 else _language(letter, languages)
    first, last = words.split("\n")[0], words.split("\n")[-1]
    parts = [] if OPENS.fullmatch(first) else [_hello(letter, language)]
    parts.append(words)
    if line(letter.account_name, 80).casefold() not in last.casefold():
        parts.append(_closing(letter, language))
    warnings = ("the remark stands in the draft word for word: it reads like an instruction",)
    return Draft(clean("\n\n".join(parts)), (), by, warnings if _INSTRUCTION.match(words) else ())


def _holding(letter: Letter, language: Language, *, short: bool, rewritten: bool, by: str) -> Draft:
    phrases, asked, memory = PHRASES[language], questions(letter), letter.background.memory
    flags = red_flags.orders(letter) + red_flags.demands(letter)
    said = [phrases.received]
    if not flags:
        points = [q for q in asked if quotable(q)]
        opening, ending = phrases.quotes
        if points and not short and phrases.points.casefold() not in memory.left_out:
            said += [phrases.points, "\n".join(f"- {opening}{point}{ending}" for point in points)]
        said += [phrases.later, *(one for one in memory.added if language_of(one) is language)]
    parts = [_hello(letter, language), *_without(said, memory), _closing(letter, language)]
    unknowns = [f"the answer to: {question}" for question in asked]
    if flags:
        unknowns = ["whether to answer at all"]
    elif not unknowns:
        unknowns = ["what to answer"]
    if rewritten:
        unknowns.append("what the previous draft said: this one was written anew")
    return Draft(clean("\n\n".join(parts)), tuple(unknowns), by, tuple(f"the mail {flag}" for flag in flags))


def _without(said: list[str], memory: Memory) -> list[str]:
    """The paragraphs without the sentences that the owner always takes out; something is said all the same."""
    kept = [left for part in said if (left := _kept(part, memory))]
    return kept if any(not part.startswith("- ") for part in kept) else said[:1]


def _kept(part: str, memory: Memory) -> str:
    if part.startswith("- ") or not memory.left_out:
        return part
    return " ".join(one for one in _SENTENCES.split(part) if one.casefold() not in memory.left_out)


def _language(letter: Letter, allowed: tuple[Language, ...]) -> Language:
    """The one that the owner writes to this contact, or the mail's."""
    found = letter.background.memory.language or language_of(f"{letter.subject}\n{letter.text}")
    return found if found in allowed or not allowed else allowed[0]


def _manner(letter: Letter) -> str:
    familiar = letter.background.memory.familiar
    return letter.to_account if familiar is None else "personal" if familiar else "business"


def _hello(letter: Letter, language: Language) -> str:
    if learned := letter.background.memory.greeting(language):
        return learned
    name, phrases = name_of(letter.sender_name), PHRASES[language]
    return phrases.hello[_manner(letter)].format(name=name) if name else phrases.to_all


def _closing(letter: Letter, language: Language) -> str:
    """As the owner closes; a name stands below in any case."""
    name = line(letter.account_name, 80)
    learned = letter.background.memory.sign_off(language)
    if not learned:
        return f"{PHRASES[language].closing[_manner(letter)]}\n{name}"
    signed = {word.casefold() for word in learned[-1].split()} & {word.casefold() for word in name.split()}
    return "\n".join(learned if signed else (*learned, name))
