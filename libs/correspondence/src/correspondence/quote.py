"""What is new in a mail, apart from the earlier mail that it quotes below; line by line, in linear time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

SEPARATOR = re.compile(
    r"[-_*\s]{2,40}(?:original message|original appointment|reply message|ursprüngliche nachricht|"
    r"originalnachricht|message d'origine|message original|mensaje original|messaggio originale|"
    r"oorspronkelijk bericht|mensagem original|ursprungligt meddelande|oprindelig meddelelse|原始邮件)"
    r"[-_*\s]{2,40}",
    re.IGNORECASE,
)
FORWARD = re.compile(
    r"-{2,40}\s?(?:forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado|"
    r"messaggio inoltrato|doorgestuurd bericht)\s?-{2,40}|begin forwarded message:|"
    r"anfang der weitergeleiteten nachricht:|début du message réexpédié :",
    re.IGNORECASE,
)
FIELDS = (
    re.compile(r"from|von|de|da|van|från|fra|od|发件人", re.IGNORECASE),
    re.compile(
        r"sent|date|gesendet|datum|envoyé|enviado(?: el)?|fecha|inviato|data|verzonden|skickat|sendt|"
        r"wysłano|发送时间",
        re.IGNORECASE,
    ),
    re.compile(r"to|an|à|para|a|aan|till|til|do|收件人", re.IGNORECASE),
    re.compile(r"subject|betreff|objet|asunto|oggetto|onderwerp|ämne|emne|assunto|temat|主题", re.IGNORECASE),
)
WROTE = re.compile(
    r"\b(?:wrote|writes|schrieb|écrit|escribió|ha scritto|schreef|skrev|escreveu|napisał|kirjoitti)\b|写道",
    re.IGNORECASE,
)
ADDRESS_OR_TIME = re.compile(r"<[^<>\s]{1,250}@[^<>\s]{1,250}>|\b\d{1,2}[:.h]\d\d\b")
YEAR = re.compile(r"\b(?:19|20)\d\d\b|\d年")
OPENINGS = ("on ", "am ", "le ", "el ", "il ", "op ", "den ", "em ", "w dniu ", "dnia ")
COLONS = (":", "\uff1a")
LONGEST_LINE = 400


@dataclass(frozen=True)
class Split:
    """The new text, and the history quoted below it; no line that says something is in neither."""

    new: str
    quoted: str


def split(text: str, *, forwarded: bool = False) -> Split:
    """Part a mail from its history; forwards, answers between the lines and bare quotes stay whole."""
    lines = text.split("\n")
    start = None if forwarded else _history(lines)
    new = text if start is None else "\n".join(lines[:start]).rstrip()
    if start is None or not new.strip():
        return Split(text.strip("\n"), "")
    return Split(new.strip("\n"), "\n".join(lines[start:]).strip("\n"))


def _history(lines: Sequence[str]) -> int | None:
    """The line at which the quoted history begins, None when there is none or an answer follows it."""
    for number, line in enumerate(lines):
        stripped = line.strip()
        if not stripped or _is_quoted(line) or len(stripped) > LONGEST_LINE:
            continue
        if FORWARD.fullmatch(stripped):
            return None
        if SEPARATOR.fullmatch(stripped):
            return number
        if _is_header_block(lines, number):
            ruled = number and set(lines[number - 1].strip()) in ({"_"}, {"-"})
            return number - 1 if ruled else number
        if stripped.endswith(COLONS) and (found := _attribution(lines, number)):
            return found.start if found.ends_the_mail else None
    return _last_quote(lines)


def _is_quoted(line: str) -> bool:
    return line.lstrip().startswith(">")


def _is_header_block(lines: Sequence[str], number: int) -> bool:
    """From, and two of Sent, To and Subject in the lines below it."""
    if not FIELDS[0].fullmatch(_field(lines[number])):
        return False
    names = [_field(line) for line in lines[number + 1 : number + 7]]
    return sum(any(field.fullmatch(name) for name in names) for field in FIELDS[1:]) >= 2


def _field(line: str) -> str:
    name, colon, _ = line[:60].replace(COLONS[1], COLONS[0]).partition(COLONS[0])
    return name.strip("* \t") if colon else ""


@dataclass(frozen=True)
class _Attribution:
    start: int
    ends_the_mail: bool


def _attribution(lines: Sequence[str], number: int) -> _Attribution | None:
    """Somebody wrote at some time, and a colon ends this line; it may begin up to four lines above."""
    below = _next_line(lines, number + 1)
    quotes_follow = below is not None and _is_quoted(lines[below])
    start = _opening(lines, number)
    said = " ".join(line.strip() for line in lines[start : number + 1])
    opened = said.lower().startswith(OPENINGS)
    dated = ADDRESS_OR_TIME.search(said) is not None
    if quotes_follow and (WROTE.search(said) or (dated and YEAR.search(said))):
        rest = lines[number + 1 :]
        return _Attribution(start, all(not line.strip() or _is_quoted(line) for line in rest))
    if opened and dated and WROTE.search(said) and not quotes_follow:
        return _Attribution(start, True)
    return None


def _opening(lines: Sequence[str], number: int) -> int:
    """The line with the opening words, where an attribution was wrapped; else the line itself."""
    for start in range(number, max(number - 4, -1), -1):
        line = lines[start].strip()
        if not line or line[0] == ">" or len(line) > LONGEST_LINE:
            break
        if line.lower().startswith(OPENINGS):
            return start
    return number


def _next_line(lines: Sequence[str], start: int) -> int | None:
    return next((number for number in range(start, min(start + 4, len(lines))) if lines[number].strip()), None)


def _last_quote(lines: Sequence[str]) -> int | None:
    """The quote that ends the text, when nothing above it is quoted too."""
    start = len(lines)
    while start and (not lines[start - 1].strip() or _is_quoted(lines[start - 1])):
        start -= 1
    tail, above = lines[start:], lines[:start]
    return start if any(_is_quoted(line) for line in tail) and not any(map(_is_quoted, above)) else None
