"""Movements of the bank held against what is open in the books: proposals with their reason, and what fits nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from accounting.statement import Entry
from books.values import Move


class Why(StrEnum):
    """What speaks for a match, the strongest first."""

    NUMBER_AND_AMOUNT = "its number and its open amount"
    REFERENCE_AND_AMOUNT = "its reference and its open amount"
    NUMBER = "its number, another amount"
    PARTNER_AND_AMOUNT = "its partner's name and its open amount"


@dataclass(frozen=True)
class Proposal:
    """One movement that would pay one document."""

    entry: Entry
    move: Move
    why: Why


@dataclass(frozen=True)
class Matched:
    """Every movement is in exactly one of these."""

    proposals: tuple[Proposal, ...]
    several: tuple[tuple[Entry, tuple[Move, ...]], ...]
    """It fits several documents equally well; nothing is proposed."""
    unmatched: tuple[Entry, ...]


def match(entries: Iterable[Entry], moves: Sequence[Move]) -> Matched:
    """No document is proposed twice; what came in pays invoices, what went out pays bills."""
    proposals: list[Proposal] = []
    several, unmatched = [], []
    taken: set[int] = set()
    for entry in entries:
        open_ = [move for move in moves if move.id not in taken and _could_be(entry, move)]
        for why in Why:
            fitting = [move for move in open_ if _speaks(why, entry, move)]
            if len(fitting) == 1:
                proposals.append(Proposal(entry, fitting[0], why))
                taken.add(fitting[0].id)
                break
            if fitting:
                several.append((entry, tuple(fitting)))
                break
        else:
            unmatched.append(entry)
    return Matched(tuple(proposals), tuple(several), tuple(unmatched))


def _could_be(entry: Entry, move: Move) -> bool:
    inbound = move.kind.value in ("out_invoice", "in_refund")
    fits = entry.currency == move.residual.currency and abs(entry.amount) <= move.residual.amount
    return fits and entry.amount != 0 and (entry.amount > 0) is inbound


def _speaks(why: Why, entry: Entry, move: Move) -> bool:
    whole = abs(entry.amount) == move.residual.amount
    match why:
        case Why.NUMBER_AND_AMOUNT:
            return whole and _names(entry.text, move.number)
        case Why.REFERENCE_AND_AMOUNT:
            return whole and _names(entry.text, move.reference)
        case Why.NUMBER:
            return _names(entry.text, move.number)
        case Why.PARTNER_AND_AMOUNT:
            name = move.partner.name if move.partner else ""
            return whole and bool(name) and _bare(name) == _bare(entry.party)


def _names(text: str, number: str) -> bool:
    """Whether the text holds the number whole: `INV/2026/0001` is not in `INV/2026/00012`."""
    if len(re.sub(r"\W", "", number)) < 4:
        return False
    parts = [re.escape(part) for part in re.split(r"[\s/._-]+", number) if part]
    return (
        re.search(r"(?<![A-Za-z0-9])" + r"[\s/._-]*".join(parts) + r"(?![A-Za-z0-9])", text, re.IGNORECASE) is not None
    )


def _bare(name: str) -> str:
    return " ".join(re.findall(r"\w+", name.casefold()))
