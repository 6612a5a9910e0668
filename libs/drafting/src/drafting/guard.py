"""What a model wrote, checked before it becomes a draft."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drafting import handbook as handbooks
from drafting.amounts import amounts
from drafting.background import Background
from drafting.inventions import plainly
from drafting.letter import Letter
from drafting.plain import clean

LONGEST = 20_000
READ = 50_000
"""Characters of each part that a draft is compared with."""
_TLD = (
    "com|org|net|info|biz|io|dev|app|ai|eu|de|at|ch|fr|es|it|nl|be|pl|uk|us|ru|cn|co|me|xyz|top|shop|site|online"
    "|click|link"
)
_LINK = re.compile(
    rf"(?:https?://|www\.)[^\s<>\"'”»)\]]+|(?<![\w.-])(?:[a-z\d-]{{1,63}}\.){{1,8}}(?:{_TLD})\b(?:/[^\s<>\"')\]]*)?",
    re.I,
)
_ADDRESS = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z\d]{4}){2,7}(?:[ -]?[A-Z\d]{1,3})?\b")
_PHONE = re.compile(r"\+\d[\d ()/.-]{6,}\d")
_DOCUMENT = re.compile(
    r"(?<![\w/-])[A-Z]{1,6}[/-]?(?:19|20)\d{2}[/-]\d{1,6}(?![\w/-])|(?<![\w/-])[A-Z]{2,4}[/-]\d{3,8}(?![\w/-])"
)
LIVE = re.compile(
    r"!\[|<!--|<%|<(?:img|iframe|script|object|embed|video|audio|link|style|svg|meta|base|form)\b|```\s*dataview", re.I
)
"""What a viewer would load or run."""


class UnfitDraft(ValueError):
    """The text cannot become a draft; the reason is written for the model, which may try again."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A text that may become a draft, and what the owner should look at twice."""

    text: str
    warnings: tuple[str, ...]


def check(text: str, *, letter: Letter, remark: str | None, handbook: str) -> Checked:
    """Clean the text and name what it got neither from the mail nor the remark nor what the handbook lets it tell.
    Raises UnfitDraft also for what it got from what is known of the sender and may not be told."""
    body = clean(text)
    if not body:
        raise UnfitDraft("the draft is empty")
    if len(body) > LONGEST:
        raise UnfitDraft(f"the draft has {len(body)} characters, more than {LONGEST}")
    if live := LIVE.search(body):
        raise UnfitDraft(f"the draft must be plain text, without '{live.group()}'")
    given = (letter.sender_name, letter.sender_address, letter.subject, letter.text, letter.quoted,
             *letter.attachments, remark or "", *_tellable(handbook, letter))  # fmt: skip
    known, seen = plainly(clean("\n".join(part[:READ] for part in given))), plainly(body)
    _only_tellable(seen, known, letter.background)
    warnings = [
        f"the draft names {what} that is not in the mail: {found}"
        for what, find in _FINDERS
        for found in _strange(find, seen, known)
    ]
    return Checked(body, tuple(warnings))


def _tellable(handbook: str, letter: Letter) -> tuple[str, ...]:
    """A contact's address stands in the handbook too, and is not for others. `May be told: open invoices` names what is
    looked up by its kind."""
    rules = handbooks.read(handbook)
    kinds = {told.strip().rstrip(".").casefold() for told in rules.tellable}
    looked_up = (fact.text for fact in letter.background.facts if fact.name in kinds)
    return (*rules.tellable, *(name for _, name in rules.sign_as), *looked_up)


def _only_tellable(body: str, known: str, background: Background) -> None:
    """The rule of context: a figure or an address that stands only in what was looked up is not for the draft."""
    sources = [(fact.text, fact.source) for fact in background.facts]
    for looked_up, source in (*sources, (background.memory.text, "the owner's memory notes")):
        for what, find in MARKS:
            familiar = {key for key, _ in find(known)}
            there = {key for key, _ in find(plainly(clean(looked_up[:READ])))} - familiar
            for key, shown in find(body):
                if key in there:
                    raise UnfitDraft(
                        f"the draft tells {what} that is known from {source} alone and may not be told: {shown}"
                    )


def _strange(find: Callable[[str], Iterator[tuple[str, str]]], body: str, known: str) -> list[str]:
    """What `find` sees in the body and not in the known text; compared by key, named as written."""
    familiar = {key for key, _ in find(known)}
    return list({key: shown for key, shown in find(body) if key not in familiar}.values())


def _addresses(text: str) -> Iterator[tuple[str, str]]:
    for found in _ADDRESS.findall(text):
        yield found.lower(), found


def _links(text: str) -> Iterator[tuple[str, str]]:
    for found in _LINK.findall(_ADDRESS.sub(" ", text)):
        shown = found.rstrip(".,;:!?")
        yield re.sub(r"^https?://(?:www\.)?|^www\.", "", shown.lower()).rstrip("/"), shown


def _ibans(text: str) -> Iterator[tuple[str, str]]:
    for found in _IBAN.findall(text.upper()):
        yield from ((short, short) for short in (re.sub("[ -]", "", found),) if _is_iban(short) or found in text)


def _is_iban(account: str) -> bool:
    return int("".join(str(int(sign, 36)) for sign in account[4:] + account[:4])) % 97 == 1


def _phones(text: str) -> Iterator[tuple[str, str]]:
    for found in _PHONE.findall(text):
        yield re.sub(r"\D", "", found), found


def _documents(text: str) -> Iterator[tuple[str, str]]:
    for found in _DOCUMENT.findall(text.upper()):
        yield re.sub(r"[ /-]", "", found), found


_FINDERS: tuple[tuple[str, Callable[[str], Iterator[tuple[str, str]]]], ...] = (
    ("a link", _links),
    ("an address", _addresses),
    ("an account number", _ibans),
    ("a phone number", _phones),
    ("an amount", amounts),
)
MARKS = (*_FINDERS, ("an invoice number", _documents))
"""What can be somebody's: (what it is, a finder of (key, as it is written))."""
ONES_OWN = tuple((what, find) for what, find in MARKS if what not in ("a link", "an amount"))
"""What belongs to one contact alone; links and amounts are many people's."""
