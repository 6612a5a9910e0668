"""What a text says that nobody gave it: numbers, days, hosts, names and promises, in four languages. Pure."""

import re
import unicodedata
from collections.abc import Iterator

from drafting.language import ALL_STOP_WORDS, Language, language_of

NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
DAYS = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\btoday\b|\btomorrow\b|\bnext week\b|\b(?:january|february|april"
    r"|june|july|august|september|october|november|december)\b|\b(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag"
    r"|sonntag|januar|februar|märz|juni|juli|oktober|dezember)|\bheute\b|\bnächste woche\b|\b(?:lundi|mardi|mercredi"
    r"|jeudi|vendredi|samedi|dimanche|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre"
    r"|aujourd'hui|demain)\b|\b(?:lunes|martes|miércoles|jueves|viernes|sábado|domingo|enero|febrero|marzo|abril|junio"
    r"|julio|agosto|septiembre|octubre|noviembre|diciembre|hoy)\b|\b(?:tonight|yesterday|weekends?)\b"
    r"|\b(?:next|this|last|coming) (?:month|year|weekend|week|evening|morning|afternoon|spring|summer|autumn|winter)\b"
    r"|\b(?:in|since|until|by|from|next|this) (?:march|may)\b|\bwochenende"
    r"|\b(?:über|(?<!guten )(?<!am )(?<!jeden ))morgen\b"
    r"|\b(?:nächste[mnrs]?|kommende[mnrs]?|diese[mnrs]?) (?:woche|monat|jahr|frühling|sommer|herbst|winter)"
    r"|\bgestern\b|\bweek-ends?\b|\bce (?:soir|mois|matin)\b|\bcette (?:nuit|semaine|année)\b"
    r"|\b(?:mois|semaine|an|année) prochaine?\b|\bhier\b(?= (?:soir|matin))|\bfin(?:es)? de semana\b"
    r"|\besta (?:noche|semana|tarde)\b|\beste (?:mes|año|verano|invierno)\b|\bpróxim[oa] (?:mes|semana|año)\b"
    r"|\b(?:mes|semana|año) que viene\b|(?<!la )(?<!las )\bmañana\b",
    re.IGNORECASE,
)
PROMISES = re.compile(
    r"\bi (?:promise|guarantee|confirm|accept|agree|commit)|\bwe (?:promise|guarantee|confirm|accept|agree|will (?:send"
    r"|deliver|come|pay|refund|do))|\bi(?:'ll| will) (?:send|deliver|be there|pay|refund|bring|do)|\byou can count on"
    r"|\bfree of charge|\bno extra c|\b(?:yes|of course|certainly),|\bich (?:verspreche|garantiere|bestätige|akzeptiere"
    r"|sage zu|werde .{0,30}(?:senden|liefern|kommen|zahlen))|\bwir (?:garantieren|bestätigen|liefern|kommen)"
    r"|\bselbstverständlich\b|\bkostenlos|\bja, |\bje (?:promets|garantis|confirme|accepte)|\bnous (?:garantissons"
    r"|confirmons|livrerons|viendrons)|\bbien sûr\b|\bgratuit|\boui, |\b(?:prometo|garantizo|confirmo|acepto)\b"
    r"|\b(?:garantizamos|confirmamos|enviaremos|iremos)\b|\bpor supuesto\b|\bgratis\b|\bsí, "
    r"|(?<!feel )(?<!i am )(?<!i'm )(?<!we are )(?<!we're )(?<!you are )(?<!you're )(?<!are you )(?<![\w-])free\b"
    r"(?!-(?!of\b))(?! time\b)"
    r"|\bguarant(?:ee|y|ies)|\bwarrant(?:y|ies)|\brefund|\breimburse|\bmoney[ -]back"
    r"|\byour money\b|\bat no (?:cost|charge|extra)|\bcomplimentary\b"
    r"|garantie|\bgarantiert|\bgewährleistung|kostenfrei|\bunentgeltlich|\bumsonst\b|gebührenfrei|\bgeld zurück"
    r"|\b(?:rück)?erstatt|\bgaranti|\brembours|\bsans (?:frais|supplément)|\boffert(?:e?s?)\b|\bgarant(?:ía|iza|izad)"
    r"|\breembols|\bdevol(?:vemos|ución|veremos)|\bsin (?:coste|costo|cargo|gastos)",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundreds?|thousands?|(?:m|b|tr)illions?|dozens?|half|doubled?|tripled?"
    r"|percent|per cent|twice|thrice|(?:two|three|four|five|ten|hundred|thousand|mani)fold"
    r"|(?:a|one|two|three) (?:third|quarter|fifth|tenth)s?"
    r"|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf"
    r"|\w*(?:zehn|zwanzig|drei(?:ß|ss)ig|(?:vier|fünf|sech|sieb|acht|neun)zig)(?:mal|fach\w*|jährig\w*|s?te[nmrs]?)?"
    r"|(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)?(?:hundert|tausend)\w*|milli(?:on|arde)(?:en|n)?|dutzend\w*"
    r"|hälfte|drittel|(?:ein|drei) ?viertel|doppelt|dreifach|prozent"
    r"|deux|trois|quatre|cinq|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|vingts?|trente|quarante|cinquante"
    r"|soixante|septante|huitante|octante|nonante|cents?|mille|milliers?|milliards?|(?:dou|di|quin)zaines?"
    r"|(?:vingt|trent|quarant|cinquant|soixant|cent)aines?|moitié|(?:un|deux) tiers|(?:un|trois) quarts?|pour cent"
    r"|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|trece|catorce|quince|dieci\w+|veint(?:e|i\w+)"
    r"|(?:trei|cuare|cincue|sese|sete|oche|nove)nta|cien|ciento|\w*cient[oa]s|quinient[oa]s|mil|miles|millón|millones"
    r"|(?:doc|dec|cent)enas?|centenares|mitad|(?:un|dos) tercios?|(?:un|tres) cuartos?|por ciento)\b"
    r"|[%‰¼-¾⅐-⅞]|\d+⁄\d+",
    re.IGNORECASE,
)
_ONLY_IN = {Language.FR: re.compile(r"\bseize\b", re.I), Language.ES: re.compile(r"\bonce\b", re.I)}
"""Numbers that are other words in English."""
_HOST = re.compile(r"(?<![\w.@-])((?:[\w-]{1,63}\.){1,8})([^\W\d_]{2,24})(?![\w@])")
_SHORT = frozenset({"p.ej", "v.chr", "n.chr", "z.zt", "u.ä", "etc.pp"})
"""Abbreviations of such a form; those whose last part is one letter, as in `e.g.`, are none."""
_WORD = re.compile(r"[^\W\d_]+")
_SENTENCE = re.compile(r"[.!?…:;\n\"“”„«»()#–—-]+")


_SIGNS = str.maketrans("™℠’‘ʼ", "  '''")


def plainly(text: str) -> str:
    """The text in the signs that a reader takes it for: `@` for the fullwidth one, `1⁄2` for `½`, one apostrophe."""
    return unicodedata.normalize("NFKC", text.translate(_SIGNS))


def found(text: str, given: str) -> Iterator[tuple[str, str]]:
    """(what it is, as it is written) of each that is in the text and not in what was given. Names: a word with a
    capital letter within a sentence, or two of them; in German two, as each noun has one. A name alone at the start of
    a sentence is not seen."""
    text, given = plainly(text), plainly(given)
    numbers = [NUMBER, _COUNTED, *(only for language, only in _ONLY_IN.items() if language is language_of(text))]
    for what, pattern in (*(("a number", one) for one in numbers), ("a day or month", DAYS)):
        known = {_key(one) for one in pattern.findall(given)}
        yield from ((what, one) for one in pattern.findall(text) if _key(one) not in known)
    said = {_key(one[0]) for one in PROMISES.finditer(given)}
    for one in PROMISES.finditer(text):
        if _key(one[0]) not in said:
            yield "a promise", one[0]
    yield from (("a link", host) for host in _hosts(text, given))
    yield from (("a name", name) for name in _names(text, given))


def _key(words: str) -> str:
    return " ".join(words.casefold().split()).rstrip("s")


def _hosts(text: str, given: str) -> Iterator[str]:
    """What looks like `bikes.bike` or a file. Two sentences without a space between them (`wait.Most`) do not, when the
    second begins with a capital and a word that was given or is in every text."""
    known = {one[0].casefold().removeprefix("www.") for one in _HOST.finditer(given)} | _SHORT
    words = ALL_STOP_WORDS.union(_WORD.findall(given.casefold()))
    for one in _HOST.finditer(text):
        host, last = one[0].casefold().removeprefix("www."), one[2]
        joined = last[0].isupper() and last[1:].islower() and last.casefold() in words and one[1].count(".") == 1
        if host not in known and not joined:
            yield one[0]


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
