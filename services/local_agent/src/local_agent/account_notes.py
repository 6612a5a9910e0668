"""A bank statement as a note in Accounting/: what it says, what was in an earlier one, and what is wrong with an IBAN.

What was seen is remembered on this machine alone, as HMACs: who reads that file learns no movement.
"""

from __future__ import annotations

import hmac
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from accounting.statement import Entry
from vault_protocol import scan
from vault_protocol.bank_account import iban_fault
from vault_protocol.canonical import utc
from vault_protocol.files import write_private
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.plain import fenced, one_line, visible

SHOWN = 2_000
"""Movements that a note lists; the sums are of all."""

_LIKE_AN_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{6,}")


@dataclass(frozen=True)
class Seen:
    """One private file for each statement: the HMACs of its movements."""

    folder: Path
    secret: bytes

    def earlier(self, digest: str, entries: Sequence[Entry]) -> tuple[bool, ...]:
        """Of each movement whether another statement had it. `digest`: the SHA-256 of the file, remembered from now on.

        Two equal movements of one statement are two; each needs one of its own in an earlier statement.
        """
        known: Counter[str] = Counter()
        for path in self.folder.glob("*.json"):
            if path.stem != digest:
                known |= Counter(_kept(path))
        marks = [self._mark(entry) for entry in entries]
        write_private(self.folder / f"{digest}.json", json.dumps(marks).encode("ascii"))
        found = []
        for mark in marks:
            found.append(known[mark] > 0)
            known[mark] -= 1
        return tuple(found)

    def _mark(self, entry: Entry) -> str:
        facts = [entry.booked.isoformat(), str(entry.amount.normalize()), entry.currency, entry.text, entry.party]
        return hmac.new(self.secret, json.dumps(["movement", *facts]).encode("utf-8"), "sha256").hexdigest()[:32]


def path_of(digest: str, entries: Sequence[Entry]) -> str:
    """By its days and its hash: the same file is the same note."""
    days = [entry.booked for entry in entries]
    return f"Accounting/statement-{min(days)}-{max(days)}-{digest[:8]}.md"


def note_of(name: str, digest: str, entries: Sequence[Entry], earlier: Sequence[bool], now: datetime) -> Note:
    """What strangers wrote stands in a fence."""
    faults = sum(bool(_fault(entry)) for entry in entries)
    front = FrontMatter().put(
        type="bank_statement", created=utc(now), name=one_line(name, 120), sha256=digest, movements=len(entries),
        earlier=sum(earlier), wrong_accounts=faults,
    )  # fmt: skip
    lines = [_line(*one) for one in zip(entries, earlier, strict=True)]
    more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    text, masked = scan.mask(visible("\n".join([*lines[:SHOWN], *more])))
    told = [
        f"{len(entries)} movements. {sum(earlier)} of them were in an earlier statement and are not in the sums.",
        *_sums([entry for entry, was in zip(entries, earlier, strict=True) if not was]),
    ]
    if faults:
        told.append(f"**{faults} accounts have wrong check digits**: they are marked.")
    if masked:
        told.append(f"{len(masked)} secrets were taken out of this text.")
    return Note(front, "\n# A bank statement\n\n" + "\n\n".join(told) + f"\n\n{fenced(text)}")


def _sums(entries: Sequence[Entry]) -> Iterator[str]:
    for currency in sorted({entry.currency for entry in entries}):
        amounts = [entry.amount for entry in entries if entry.currency == currency]
        came, went = (sum((a for a in amounts if (a > 0) is way), Decimal(0)) for way in (True, False))
        yield f"{one_line(currency, 3)}: {came:,.2f} came in, {-went:,.2f} went out."


def _line(entry: Entry, earlier: bool) -> str:
    marks = [f"! {fault}" if (fault := _fault(entry)) else "", "(in an earlier statement)" if earlier else ""]
    amount = f"{entry.amount:+,.2f} {entry.currency}"
    parts = (entry.booked.isoformat(), amount, entry.party, entry.account, entry.text, *marks)
    return "  ".join(part for part in parts if part)


def _fault(entry: Entry) -> str:
    """What is wrong with the other side's account, if it is written as an IBAN."""
    bare = entry.account.replace(" ", "").upper()
    return iban_fault(bare) if _LIKE_AN_IBAN.fullmatch(bare) else ""


def _kept(path: Path) -> list[str]:
    try:
        return [str(mark) for mark in json.loads(path.read_bytes())]
    except (OSError, ValueError, TypeError):
        return []
