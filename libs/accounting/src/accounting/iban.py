"""Bank accounts in a text, by their check digits and their country's length."""

from __future__ import annotations

import re

from vault_protocol.bank_account import LENGTHS, iban_fault

_BEGINS = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(LENGTHS)})\d{{2}}(?=[ \u00a0]?[A-Z0-9])")


def find(text: str) -> frozenset[str]:
    """Every account that is written whole, without its spaces."""
    found = set()
    for begins in _BEGINS.finditer(text):
        bare = re.sub(r"[ \u00a0]", "", text[begins.start() : begins.start() + 60])
        account = bare[: LENGTHS[begins[0][:2]]]
        if valid(account):
            found.add(account)
    return frozenset(found)


def valid(account: str) -> bool:
    """Over an account without spaces."""
    return not iban_fault(account)
