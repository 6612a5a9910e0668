"""From what a mail asks for to the lines of a draft. A price is the books' own, or the sender's word and told so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from accounting.requested import Wanted
from books.drafts import NewLine
from books.values import Product

_HOURS = frozenset(
    {"h", "hr", "hrs", "hour", "hours", "std", "std.", "stunde", "stunden", "heure", "heures", "hora", "horas"}
)

Search = Callable[[str], Sequence[Product]]
"""Products of the books whose name or code holds a text."""


@dataclass(frozen=True)
class Priced:
    """The lines that can be drafted, what the owner should look at twice, and what is missing for a draft."""

    lines: tuple[NewLine, ...]
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def priced(wanted: Iterable[Wanted], search: Search) -> Priced:
    """Nothing is drafted of a request of which a part is missing."""
    lines, warnings, missing = [], [], []
    for one in wanted:
        shown = f"{one.quantity} {one.unit} {one.what}".strip()
        found = _product(one, search)
        if len(found) > 1:
            missing.append(f"which product is meant by “{shown}”: {', '.join(product.name for product in found[:5])}")
        elif found:
            product = found[0]
            lines.append(NewLine(product.name, product.price.amount, one.quantity, product=product.id))
            if one.price and (one.price.value, one.price.currency) != (product.price.amount, product.price.currency):
                warnings.append(
                    f"The mail says {one.price} for “{product.name}”; the draft has the books' price, {product.price}."
                )
        elif one.price and one.what:
            lines.append(NewLine(one.what, one.price.value, one.quantity))
            warnings.append(f"The books have no product “{one.what}”; its price of {one.price} is the sender's word.")
        else:
            missing.append(f"a price for “{shown}”: the books have no such product, and the mail names none")
    if not lines and not missing:
        missing.append("what is to be invoiced: quantity and product")
    return Priced(tuple(lines), tuple(warnings), tuple(missing))


def currencies(wanted: Iterable[Wanted]) -> frozenset[str]:
    """The currencies that the sender's prices are in."""
    return frozenset(one.price.currency for one in wanted if one.price)


def _product(one: Wanted, search: Search) -> tuple[Product, ...]:
    """The products whose name or code is what was asked for; else the one whose name holds every word of it."""
    words = _words(one.what)
    if not words and one.unit in _HOURS:
        words = ["hour"]
    if not words:
        return ()
    found = [product for word in dict.fromkeys((one.what, max(words, key=len))) if word for product in search(word)]
    distinct = tuple({product.id: product for product in found}.values())
    exact = tuple(p for p in distinct if _words(p.name) == words or p.code.casefold() == one.what.casefold())
    return exact or tuple(p for p in distinct if set(words) <= set(_words(p.name)))


def _words(text: str) -> list[str]:
    return [
        word.removesuffix("s") for word in re.findall(r"\w+", text.casefold()) if word not in ("of", "the", "your", "a")
    ]
