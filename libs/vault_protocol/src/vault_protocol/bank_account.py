"""Whether a bank account is written right: check digits, length by country, form of the bank's code."""

from __future__ import annotations

import re
from collections.abc import Mapping

LENGTHS: Mapping[str, int] = {
    "AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
    "FI": 18, "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21,
    "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24,
    "SI": 19, "SK": 24, "SM": 27, "VA": 22,
}  # fmt: skip
"""Characters of an IBAN, by country: those that take part in SEPA."""

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")


def iban_fault(account: str) -> str:
    """What is wrong with an IBAN without spaces, in words; empty when nothing is (ISO 13616, mod 97-10)."""
    if not _IBAN.fullmatch(account):
        return f"{account!r} is no IBAN"
    length = LENGTHS.get(account[:2])
    if length is not None and len(account) != length:
        return f"an IBAN of {account[:2]} has {length} characters, not {len(account)}"
    if int("".join(str(int(character, 36)) for character in account[4:] + account[:4])) % 97 != 1:
        return f"the check digits of {account} do not fit: a character is wrong, or two are swapped"
    return ""


def bic_fault(code: str) -> str:
    """What is wrong with a BIC (ISO 9362); empty when nothing is."""
    return "" if _BIC.fullmatch(code) else f"{code!r} is no BIC"


def spaced(account: str) -> str:
    """In groups of four, as people compare it."""
    return " ".join(account[at : at + 4] for at in range(0, len(account), 4))
