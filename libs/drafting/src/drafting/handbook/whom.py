"""Which mails a rule is about: an address, a domain, a topic, words in quotes, or a kind of sender."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from drafting.amounts import amounts
from drafting.handbook.scope import MAILBOX
from drafting.handbook.topics import is_about, topic_named
from drafting.letter import Letter
from drafting.plain import legible

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_DOMAIN = re.compile(r"@?((?:[\w-]+\.)+[a-z]{2,})")
_OVER = re.compile(r"(?:an )?amounts? (?:over|above) [€$£]?(\d{1,9}(?:\.\d\d)?)(?: ?(?:€|\$|£|[a-z]{3}))?")
"""Whatever the currency: 5000 yen is taken for 5000 of any other, so that no larger sum gets past."""
_QUOTED = re.compile(r"[\"“„«']\s*(.+?)\s*[\"”“»']")


class By(StrEnum):
    """What of a mail is compared."""

    ADDRESS = "address"
    DOMAIN = "domain"
    TOPIC = "topic"
    WORDS = "words"
    CONTACT = "contact"
    STRANGER = "stranger"
    MACHINE = "machine"
    ANYBODY = "anybody"
    ACCOUNT = "account"
    AMOUNT = "amount"
    MAILBOX = "mailbox"


_SENDERS = {
    "a contact below": By.CONTACT, "a contact": By.CONTACT, "contacts": By.CONTACT, "somebody new": By.STRANGER,
    "strangers": By.STRANGER, "new contacts": By.STRANGER, "a newsletter or an automatic message": By.MACHINE,
    "automatic messages": By.MACHINE, "newsletters": By.MACHINE, "everybody": By.ANYBODY, "anybody": By.ANYBODY,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Whom:
    """One condition; `value` in small letters."""

    by: By
    value: str = ""

    def fits(self, letter: Letter, contacts: Collection[str]) -> bool:
        """`contacts` are the addresses the handbook lists."""
        sender = letter.sender_address.strip().lower()
        match self.by:
            case By.ADDRESS:
                return sender == self.value
            case By.DOMAIN:
                domain = sender.rpartition("@")[2]
                return domain == self.value or domain.endswith("." + self.value)
            case By.TOPIC:
                return is_about(letter, self.value)
            case By.WORDS:
                return self.value in legible(f"{letter.subject}\n{letter.text}")
            case By.CONTACT:
                return sender in contacts
            case By.STRANGER:
                return sender not in contacts and letter.automatic is None
            case By.MACHINE:
                return letter.automatic is not None
            case By.ANYBODY:
                return True
            case By.AMOUNT:
                named = (float(found) for found, _ in amounts(f"{letter.subject}\n{letter.text[:20_000]}"))
                return any(amount > float(self.value) for amount in named)
            case By.ACCOUNT:
                return letter.to_account == self.value
            case By.MAILBOX:
                return letter.mailbox.lower() == self.value


def whom_of(words: str) -> Whom | None:
    """What one piece of a rule names, or None when that is not understood."""
    text = words.strip().strip("_*.").strip()
    small = text.lower().removeprefix("mail from ").removeprefix("mail about ").removeprefix("about ").strip()
    if by := _SENDERS.get(small):
        return Whom(by)
    if small in ("business mail", "personal mail"):
        return Whom(By.ACCOUNT, small.removesuffix(" mail"))
    if over := _OVER.fullmatch(small):
        return Whom(By.AMOUNT, over[1])
    if box := MAILBOX.fullmatch(small.removeprefix("mail to ")):
        return Whom(By.MAILBOX, box[1])
    if _ADDRESS.fullmatch(small):
        return Whom(By.ADDRESS, small)
    if found := _DOMAIN.fullmatch(small):
        return Whom(By.DOMAIN, found[1])
    if topic := topic_named(small):
        return Whom(By.TOPIC, topic)
    if quoted := _QUOTED.fullmatch(text):
        return Whom(By.WORDS, legible(quoted[1]))
    return None
