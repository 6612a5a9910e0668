"""What a text says that nobody gave it: numbers, days, names and promises, in four languages. Pure."""

import re
from collections.abc import Iterator

from drafting.language import Language, language_of

NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
DAYS = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\btoday\b|\btomorrow\b|\bnext week\b|\b(?:january|february|april"
    r"|june|july|august|september|october|november|december)\b|\b(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag"
    r"|sonntag|januar|februar|märz|juni|juli|oktober|dezember)|\bheute\b|\bnächste woche\b|\b(?:lundi|mardi|mercredi"
    r"|jeudi|vendredi|samedi|dimanche|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre"
    r"|aujourd'hui|demain)\b|\b(?:lunes|martes|miércoles|jueves|viernes|sábado|domingo|enero|febrero|marzo|abril|junio"
    r"|julio|agosto|septiembre|octubre|noviembre|diciembre|hoy)\b",
    re.IGNORECASE,
)
PROMISES = re.compile(
    r"\bi (?:promise|guarantee|confirm|accept|agree|commit)|\bwe (?:promise|guarantee|confirm|accept|agree|will (?:send"
    r"|deliver|come|pay|refund|do))|\bi(?:'ll| will) (?:send|deliver|be there|pay|refund|bring|do)|\byou can count on"
    r"|\bfree of charge|\bno extra c|\b(?:yes|of course|certainly),|\bich (?:verspreche|garantiere|bestätige|akzeptiere"
    r"|sage zu|werde .{0,30}(?:senden|liefern|kommen|zahlen))|\bwir (?:garantieren|bestätigen|liefern|kommen)"
    r"|\bselbstverständlich\b|\bkostenlos|\bja, |\bje (?:promets|garantis|confirme|accepte)|\bnous (?:garantissons"
    r"|confirmons|livrerons|viendrons)|\bbien sûr\b|\bgratuit|\boui, |\b(?:prometo|garantizo|confirmo|acepto)\b"
    r"|\b(?:garantizamos|confirmamos|enviaremos|iremos)\b|\bpor supuesto\b|\bgratis\b|\bsí, ",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundreds?|thousands?"
    r"|millions?|dozens?|half|doubled?|tripled?|percent|per cent|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf"
    r"|zwölf|zwanzig|dreißig|vierzig|fünfzig|hundert\w*|tausend\w*|million(?:en)?|dutzend\w*|hälfte|doppelt|prozent"
    r"|deux|trois|quatre|cinq|sept|huit|neuf|dix|douze|vingt|trente|cent|mille|douzaines?|moitié|pour cent"
    r"|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|veinte|treinta|cien|mil|millón|millones|docenas?|mitad"
    r"|por ciento)\b|[%‰]",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_SENTENCE = re.compile(r"[.!?…:;\n\"“”„«»()#–—-]+")


def found(text: str, given: str) -> Iterator[tuple[str, str]]:
    """(what it is, as it is written) of each that is in the text and not in what was given. Names: a word with a
    capital letter within a sentence, or two of them; in German two, as each noun has one. A name alone at the start of
    a sentence is not seen."""
    for what, pattern in (("a number", NUMBER), ("a number", _COUNTED), ("a day or month", DAYS)):
        known = {one.casefold() for one in pattern.findall(given)}
        yield from ((what, one) for one in pattern.findall(text) if one.casefold() not in known)
    said = " ".join(given.casefold().split())
    for one in PROMISES.finditer(text):
        if " ".join(one[0].casefold().split()) not in said:
            yield "a promise", one[0]
    yield from (("a name", name) for name in _names(text, given))


def _names(text: str, given: str) -> Iterator[str]:
    known = {word.casefold() for word in _WORD.findall(given)}
    german = language_of(text) is Language.DE
    for sentence in _SENTENCE.split(text):
        words = _WORD.findall(sentence)
        strange = [len(one) > 1 and one[0].isupper() and one.casefold() not in known for one in words]
        for at, one in enumerate(words):
            next_too = at + 1 < len(words) and strange[at + 1]
            if strange[at] and (next_too or (at > 0 and not german)):
                yield f"{one} {words[at + 1]}" if next_too else one
