"""Amounts of money in a text: a number with a currency beside it."""

import re
from collections.abc import Iterator

_CURRENCY = r"€|\$|£|EUR|USD|GBP|CHF|euros?|dollars?|pounds?|Franken|francs?"
_NUMBER = r"\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_AMOUNT = re.compile(rf"(?:{_CURRENCY})\s?({_NUMBER})|(?<![\d.,])({_NUMBER})\s?(?:{_CURRENCY})(?!\w)", re.I)


def amounts(text: str) -> Iterator[tuple[str, str]]:
    """(digits with a point before the cents, the words as they stand) of each."""
    for found in _AMOUNT.finditer(text):
        number = found.group(1) or found.group(2)
        whole, cents = number, ""
        if tail := re.fullmatch(r"(.*)[.,](\d{1,2})", number):
            whole, cents = tail.groups()
        yield re.sub(r"\D", "", whole) + "." + cents.ljust(2, "0"), found.group()
