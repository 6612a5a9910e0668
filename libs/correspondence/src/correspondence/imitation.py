"""Names and addresses that pretend to be others."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from correspondence.mailbox import Mailbox, safe_address
from correspondence.oddity import Oddity

# Letters of other alphabets that look like Latin ones.
TWINS = frozenset("аеорсухіјѕһԁԛԝвкмнтгӏοαρνικχυτ")
ALPHABETS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "GEORGIAN")
SHOWN_ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,253}\.[A-Za-z]{2,24}")


def examine(sender: Mailbox | None, reply_to: Sequence[Mailbox]) -> set[Oddity]:
    """What is strange about who wrote and who would get the answer."""
    found: set[Oddity] = set()
    for mailbox in (*((sender,) if sender else ()), *reply_to):
        if is_look_alike(mailbox.name) or any(imitates(label) for label in mailbox.domain.split(".")):
            found.add(Oddity.LOOK_ALIKE)
        if shows_other_address(mailbox):
            found.add(Oddity.NAME_CONTAINS_ADDRESS)
    if sender and reply_to:
        if any(mailbox.address.lower() != sender.address.lower() for mailbox in reply_to):
            found.add(Oddity.REPLY_TO_DIFFERS)
        if any(mailbox.domain != sender.domain for mailbox in reply_to):
            found.add(Oddity.REPLY_TO_OTHER_DOMAIN)
    return found


def shows_other_address(mailbox: Mailbox) -> bool:
    """Whether the display name holds an address that is not the mailbox's own."""
    shown = (safe_address(text) or text for text in SHOWN_ADDRESS.findall(mailbox.name))
    return any(address.lower() != mailbox.address.lower() for address in shown)


def is_look_alike(name: str) -> bool:
    """Whether a word mixes alphabets, or is written in letters that only look like letters."""
    return any(len(_alphabets(word)) > 1 or _is_ornamental(word) for word in re.split(r"[\W_]+", name))


def imitates(label: str) -> bool:
    """Whether a part of a domain mixes alphabets or could be read as Latin letters."""
    if not label.startswith("xn--"):
        return False
    try:
        word = label.removeprefix("xn--").encode("ascii").decode("punycode")
    except UnicodeError:
        return True
    letters = [letter for letter in word.lower() if letter.isalpha()]
    return is_look_alike(word) or (bool(letters) and all(letter in TWINS for letter in letters))


def _alphabets(word: str) -> set[str]:
    names = (unicodedata.name(letter, "") for letter in word if not letter.isascii() or letter.isalpha())
    return {alphabet for name in names for alphabet in ALPHABETS if name.startswith(alphabet)}


def _is_ornamental(word: str) -> bool:
    return any(0x1D400 <= ord(letter) <= 0x1D7FF or 0xFF21 <= ord(letter) <= 0xFF5A for letter in word)
