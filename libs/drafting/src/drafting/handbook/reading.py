"""From the text of the handbook to its rules: a list `- Effect: what; what` and the tables of mails and contacts."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache

from drafting.budget.caps import NO_CAPS, Caps, micros
from drafting.handbook.effects import Effect, MailRule, Rules, Unread, Unreadable
from drafting.handbook.hours import Hours, hours_of
from drafting.handbook.scope import heading as heading_of
from drafting.handbook.scope import in_scope
from drafting.handbook.whom import By, Whom, whom_of
from drafting.language import Language
from drafting.letter import Account, Priority

LONGEST = 100_000
"""Characters that are read."""
OTHERS = frozenset({"money", "limits", "thresholds", "social posts", "when in doubt", "company handbook"})
"""Sections that other code reads, or that hold no rule."""
_ITEM = re.compile(r"\s*[-*+]\s+(.*)")
_RULER = re.compile(r"\|?[\s:|-]*-[\s:|-]*\|?")
_PLACEHOLDER = re.compile(r"_.*_|@@\w+@@")
WITHIN_HOURS = "send only within working hours"
_YES_NO = {"yes": True, "always": True, "on": True, "no": False, "never": False, "off": False}
_LANGUAGES = {
    "english": Language.EN, "en": Language.EN, "german": Language.DE, "deutsch": Language.DE, "de": Language.DE,
    "french": Language.FR, "français": Language.FR, "fr": Language.FR, "spanish": Language.ES, "español": Language.ES,
    "es": Language.ES,
}  # fmt: skip
_EFFECTS: Mapping[str, Effect] = {
    "always ask": Effect.ASK, "always ask about": Effect.ASK, "always ask before answering": Effect.ASK,
    "never draft for": Effect.NEVER, "never draft": Effect.NEVER, "never answer": Effect.NEVER,
    "owner only": Effect.OWNER, "only i answer": Effect.OWNER,
}  # fmt: skip
_DOES: Mapping[str, tuple[Effect, bool]] = {
    "draft a reply": (Effect.DRAFT, False), "draft a reply, warn that the contact is new": (Effect.DRAFT, True),
    "draft nothing, put it before the owner": (Effect.OWNER, False), "draft nothing, warn": (Effect.OWNER, True),
    "no reply, file it": (Effect.FILE, False), "ask first": (Effect.ASK, False), "always ask": (Effect.ASK, False),
    "never draft": (Effect.NEVER, False),
}  # fmt: skip
_OFFICIAL = tuple(Whom(By.TOPIC, name) for name in ("legal", "money"))
_SENDERS: Mapping[str, tuple[Whom, ...]] = {
    "a tax office, a court, a lawyer, a bank": _OFFICIAL,
    "somebody who asks for passwords, codes or other data": (),
}
"""Rows of the first handbook that hold several; the last is a rule of the program that nothing switches off."""
_SPENT = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) (?:a|per) (day|task)")
_PRIORITY = re.compile(r"(low|normal|high)\b")


@dataclass
class _Found:
    """What was read so far."""

    mail: list[MailRule] = field(default_factory=list)
    contacts: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    sign_as: dict[Account | None, str] = field(default_factory=dict)
    languages: tuple[Language, ...] = ()
    tone: list[str] = field(default_factory=list)
    hours: Hours | None = None
    within: list[tuple[int, bool]] = field(default_factory=list)
    """(line, yes or no) of each rule that sending goes by working hours."""
    disclose: bool = False
    tellable: list[str] = field(default_factory=list)
    shared: set[Account] = field(default_factory=set)
    remind_after: timedelta | None = Rules().remind_after
    caps: Caps = NO_CAPS
    boxes: list[tuple[int, str]] = field(default_factory=list)
    plan_iterations: int = Rules().plan_iterations
    unread: list[Unread] = field(default_factory=list)

    def fail(self, line: int, why: Unreadable) -> None:
        self.unread.append(Unread(line, why))


@lru_cache(maxsize=8)
def read(text: str) -> Rules:
    """Pure, and quick for a text that was read before."""
    found = _Found()
    for heading, at, lines, scope in _sections(text[:LONGEST]):
        shared, box = frozenset(found.shared), scope.partition("mailbox ")[2]
        found.boxes += [(at, box)] if box else []
        reader = _SECTIONS.get(heading)
        if reader is not None:
            reader(found, lines)
        elif heading not in OTHERS and any(_item(words) or "|" in words for _, words in lines):
            found.fail(at, Unreadable.SECTION)
        if scope and found.shared != shared:
            found.shared = set(shared)
            found.fail(at, Unreadable.SHARED)
    within_hours = bool(found.within) and found.within[-1][1]
    if within_hours and found.hours is None:
        found.fail(found.within[-1][0], Unreadable.HOURS)
    return Rules(
        mail=tuple(found.mail), contacts=frozenset(found.contacts), names=tuple(found.names.items()),
        sign_as=tuple(found.sign_as.items()),
        languages=found.languages, tone=tuple(found.tone), hours=found.hours, disclose=found.disclose,
        within_hours=within_hours,
        remind_after=found.remind_after, plan_iterations=found.plan_iterations,
        tellable=tuple(found.tellable), shared=frozenset(found.shared),
        caps=found.caps, boxes=tuple(found.boxes), unread=tuple(sorted(found.unread, key=lambda one: one.line)),
    )  # fmt: skip


def text_for(text: str, account: Account, mailbox: str = "") -> str:
    """The handbook as it holds for mail to this account and mailbox; only what stands for all may share context."""
    return in_scope(text, account, mailbox, read(in_scope(text, None)).shared)


Lines = list[tuple[int, str]]


def _sections(text: str) -> Iterator[tuple[str, int, Lines, str]]:
    """(heading in small letters, its line, the lines below it, whose mail it is for)."""
    heading, at, lines, scope = "company handbook", 1, Lines(), ""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if found := heading_of(line):
            yield heading, at, lines, scope
            (heading, scope), at, lines = found, number, []
        else:
            lines.append((number, line))
    yield heading, at, lines, scope


def _item(words: str) -> str | None:
    found = _ITEM.fullmatch(words)
    return found[1].strip() if found and found[1].strip() else None


def _items(lines: Lines) -> Iterator[tuple[int, str]]:
    for number, words in lines:
        if item := _item(words):
            yield number, item


def _rows(lines: Lines) -> Iterator[tuple[int, list[str]]]:
    """Of the tables, without their heads; cells as they stand."""
    inside = False
    for number, words in lines:
        if "|" not in words:
            inside = False
        elif _RULER.fullmatch(words.strip()):
            inside = True
        elif inside:
            yield number, [cell.strip() for cell in words.strip().removeprefix("|").removesuffix("|").split("|")]


def _rules(found: _Found, lines: Lines) -> None:
    for number, item in _items(lines):
        key, colon, value = item.partition(":")
        key, value = key.strip().strip("*_").lower(), value.strip()
        if effect := _EFFECTS.get(key):
            _whoms(found, number, effect, value)
        elif key == WITHIN_HOURS and colon:
            _within(found, number, value)
        elif read_one := _SETTINGS.get(key) if colon else None:
            if not read_one(found, value):
                found.fail(number, Unreadable.VALUE)
        else:
            found.fail(number, Unreadable.EFFECT)


def _whoms(found: _Found, number: int, effect: Effect, value: str) -> None:
    pieces = [piece for piece in re.split(r"[;,]", value) if piece.strip()]
    whoms = [whom_of(piece) for piece in pieces]
    if not pieces or None in whoms:
        found.fail(number, Unreadable.WHOM)
    found.mail += [MailRule(effect, whom, number) for whom in whoms if whom is not None]
    found.boxes += [(number, whom.value) for whom in whoms if whom is not None and whom.by is By.MAILBOX]


def _mail(found: _Found, lines: Lines) -> None:
    for number, row in _rows(lines):
        whose, does, priority = (*row, "", "", "")[:3]
        effect = _DOES.get(does.strip().rstrip(".").lower())
        several = _SENDERS.get(whose.lower())
        one = whom_of(whose)
        if effect is None:
            found.fail(number, Unreadable.EFFECT)
        elif several is None and one is None:
            found.fail(number, Unreadable.WHOM)
        else:
            stated = _PRIORITY.match(priority.lower())
            rank = Priority(stated[1]) if stated else None
            for whom in several if several is not None else (one,):
                if whom is not None:
                    found.mail.append(MailRule(effect[0], whom, number, rank, effect[1]))


def _contacts(found: _Found, lines: Lines) -> None:
    for number, row in _rows(lines):
        address = row[1].strip().lower() if len(row) > 1 else ""
        if _PLACEHOLDER.fullmatch(address):
            continue
        whom = whom_of(address)
        if whom is None or whom.by is not By.ADDRESS:
            found.fail(number, Unreadable.VALUE)
        else:
            found.contacts.add(whom.value)
            found.names |= {whom.value: row[0]} if row[0] else {}


def _tone(found: _Found, lines: Lines) -> None:
    for _, item in _items(lines):
        if item.lower().startswith("sign with:"):
            name = item.partition(":")[2].rpartition(",")[2].strip()
            if name and not _PLACEHOLDER.fullmatch(name):
                found.sign_as.setdefault(None, name)
        found.tone.append(item)


def _who_we_are(found: _Found, lines: Lines) -> None:
    for number, item in _items(lines):
        key, _, value = item.partition(":")
        if key.strip().lower() == "working hours" and not _hours(found, value):
            found.fail(number, Unreadable.VALUE)


def _told(found: _Found, lines: Lines) -> None:
    found.tellable += [item for _, item in _items(lines) if not _PLACEHOLDER.fullmatch(item)]


def _hours(found: _Found, value: str) -> bool:
    found.hours = hours_of(value)
    return found.hours is not None


def _within(found: _Found, number: int, value: str) -> None:
    said = _YES_NO.get(value.lower().rstrip("."))
    if said is None:
        found.fail(number, Unreadable.VALUE)
    else:
        found.within.append((number, said))


def _sign(account: Account | None) -> Callable[[_Found, str], bool]:
    def signs(found: _Found, value: str) -> bool:
        if value:
            found.sign_as[account] = value
        return bool(value)

    return signs


def _languages(found: _Found, value: str) -> bool:
    if value.lower().rstrip(".") in ("any", "the mail's", "that of the mail"):
        return True
    named = [
        _LANGUAGES.get(word.lower()) for word in re.findall(r"[^\W\d_]+", value) if word.lower() not in ("and", "or")
    ]
    found.languages = tuple(language for language in named if language is not None)
    return bool(named) and None not in named


def _disclose(found: _Found, value: str) -> bool:
    said = _YES_NO.get(value.lower().rstrip("."))
    found.disclose = bool(said)
    return said is not None


def _reminds(found: _Found, value: str) -> bool:
    if value.lower().rstrip(".") in ("never", "no"):
        found.remind_after = None
        return True
    days = re.fullmatch(r"(?:after )?(\d{1,2}) days?\.?", value.lower())
    if days is None or not 0 < int(days[1]) < 30:
        return False
    found.remind_after = timedelta(days=int(days[1]))
    return True


def _plans(found: _Found, value: str) -> bool:
    number = re.fullmatch(r"(\d{1,2}) iterations?\.?", value.lower())
    if number is None or not int(number[1]):
        return False
    found.plan_iterations = int(number[1])
    return True


def _shares(account: Account) -> Callable[[_Found, str], bool]:
    def shares(found: _Found, value: str) -> bool:
        said = _YES_NO.get(value.lower().rstrip("."))
        if said:
            found.shared.add(account)
        return said is not None

    return shares


def _spends(unit: str, number: Callable[[str], int]) -> Callable[[_Found, str], bool]:
    """`2.50 a day, 0.20 a task`: of several lines the lowest counts."""

    def spends(found: _Found, value: str) -> bool:
        pieces = [_SPENT.fullmatch(piece.strip().lower().rstrip(".")) for piece in re.split(r"[;,]", value)]
        amounts = [(number(piece[1]), piece[2]) for piece in pieces if piece]
        if len(amounts) != len(pieces) or any(amount <= 0 for amount, _ in amounts):
            return False
        for amount, each in amounts:
            found.caps = found.caps.lowered(Caps(**{f"{unit}_a_{each}": amount}))
        return True

    return spends


def _may_tell(found: _Found, value: str) -> bool:
    found.tellable += [value] if value else []
    return bool(value)


def _in_tone(found: _Found, value: str) -> bool:
    found.tone += [value] if value else []
    return bool(value)


_SETTINGS: Mapping[str, Callable[[_Found, str], bool]] = {
    "sign as": _sign(None), "sign business mail as": _sign("business"), "sign personal mail as": _sign("personal"),
    "languages": _languages, "language": _languages, "working hours": _hours, "tone": _in_tone,
    "remind": _reminds, "plan": _plans, "say that an ai drafted it": _disclose, "may be told": _may_tell,
    "spend at most": _spends("money", lambda words: micros(Decimal(words))),
    "tokens at most": _spends("tokens", lambda words: int(Decimal(words))),
    "personal mail may use business context": _shares("personal"),
    "business mail may use personal context": _shares("business"),
}  # fmt: skip
_SECTIONS: Mapping[str, Callable[[_Found, Lines], None]] = {
    "rules": _rules, "mail": _mail, "contacts": _contacts, "tone": _tone, "who we are": _who_we_are,
    "what may be told": _told,
}  # fmt: skip
