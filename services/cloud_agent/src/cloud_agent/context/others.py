"""Whether a draft says something of another contact: an address, a number or a name that this mail does not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cloud_agent.threads import Mail
from drafting import guard
from drafting.handbook import Rules
from drafting.letter import Letter
from drafting.plain import clean, line

READ = 50_000


def warnings(text: str, letter: Letter, mails: tuple[Mail, ...], rules: Rules, *, own: frozenset[str]) -> list[str]:
    """One line for each; nothing for what stands in the mail itself, or is the owner's (`own` addresses)."""
    return list(dict.fromkeys(_warnings(text, letter, mails, rules, own)))


def _warnings(
    text: str, letter: Letter, mails: tuple[Mail, ...], rules: Rules, own: frozenset[str]
) -> Iterator[str]:  # fmt: skip
    who = letter.sender_address.strip().lower()
    told = (letter.sender_name, who, letter.subject, letter.text, letter.quoted, *rules.tellable, *own)
    given = clean("\n".join(part[:READ] for part in (*told, *(name for _, name in rules.sign_as), letter.account_name)))
    mine = {mark for mail in mails if mail.sender == who for mark in mail.marks}
    others = [mail for mail in mails if mail.sender not in (who, "")]
    theirs = {mark: mail for mail in reversed(others) for mark in mail.marks}
    addresses = {*rules.contacts, *(mail.sender for mail in others)} - own - {who}
    for what, find in guard.ONES_OWN:
        known = {key for key, _ in find(given)}
        for key, shown in find(text):
            if key in known or (what, key) in mine:
                continue
            if what == "an address" and key in addresses:
                yield f"the draft names the address of another contact: {shown}"
            elif mail := theirs.get((what, key)):
                yield f"the draft holds {what} from a mail of another contact ({mail.sender}): {shown}"
    small = f" {' '.join(_words(text))} "
    familiar = f" {' '.join(_words(given))} "
    for address, name in rules.names:
        words = _words(name)
        named = f" {' '.join(words)} "
        if address != who and len(words) > 1 and named in small and named not in familiar:
            yield f"the draft names another contact: {line(name, 80)}"


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
