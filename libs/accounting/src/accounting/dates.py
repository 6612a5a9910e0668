"""Days as people write them in English, German, French and Spanish. What could be another day is none."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = (
    "january|januar|janvier|enero|jan",
    "february|februar|février|fevrier|febrero|feb",
    "march|märz|maerz|mars|marzo|mar",
    "april|avril|abril|apr",
    "may|mai|mayo",
    "june|juni|juin|junio|jun",
    "july|juli|juillet|julio|jul",
    "august|août|aout|agosto|aug",
    "september|septembre|septiembre|sept|sep",
    "october|oktober|octobre|octubre|oct|okt",
    "november|novembre|noviembre|nov",
    "december|dezember|décembre|decembre|diciembre|dec|dez",
)
_MONTH = "|".join(_MONTHS)
DAY = (
    r"\d{4}-\d{2}-\d{2}|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}/\d{1,2}/\d{4}"
    rf"|\d{{1,2}}(?:\.|st|nd|rd|th|er)?\s+(?:de\s+)?(?:{_MONTH})\.?,?\s+(?:de\s+)?\d{{4}}|(?:{_MONTH})\.?\s+\d{{1,2}},?\s+\d{{4}}"
)
"""A pattern for all that `read` may know."""


def read(text: str) -> date | None:
    """The day this text is; None when it is none, or could be another: 03/04/2026."""
    text = text.strip().casefold()
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
        if found := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text):
            return date(int(found[3]), int(found[2]), int(found[1]))
        if found := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
            return _slashed(int(found[1]), int(found[2]), int(found[3]))
        month = re.search(rf"\b(?:{_MONTH})\b", text)
        numbers = [int(digits) for digits in re.findall(r"\d+", text)]
        if month and len(numbers) == 2:
            return date(numbers[1], _month(month[0]), numbers[0])
    except ValueError:
        return None
    return None


def _slashed(first: int, second: int, year: int) -> date | None:
    """Half of the world has the month first."""
    if first != second and first <= 12 and second <= 12:
        return None
    return date(year, second, first) if first > 12 or first == second else date(year, first, second)


def _month(word: str) -> int:
    return next(number for number, words in enumerate(_MONTHS, 1) if word in words.split("|"))
