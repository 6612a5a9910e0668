"""The section *Posts* of Business_Goals.md: where and how often we post, and the words that the owner wants to be known
for (docs/social.md has its shape)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from social.calendar import BadEntry, Picture, Place, picture_of, place_named
from vault_protocol import layout, plain

LARGEST = 128 * 1024
MOST = 500
"""Words that are read."""
DAYS_OF_WEEK = {
    1: (1,),
    2: (1, 3),
    3: (0, 2, 4),
    4: (0, 1, 3, 4),
    5: (0, 1, 2, 3, 4),
    6: (0, 1, 2, 3, 4, 5),
    7: tuple(range(7)),
}
"""On which days so many posts a week go out, from Monday, 0."""
DAYS_OF_MONTH = {1: (10,), 2: (8, 22), 3: (5, 15, 25), 4: (4, 11, 18, 25)}
_OFTEN = re.compile(r"(once|twice|[1-7]|three times) (?:a|per) (week|month)", re.IGNORECASE)
_NUMBERS = {"once": 1, "twice": 2, "three times": 3}
_AT = re.compile(r"(\d{1,2}):(\d\d) ([A-Za-z_]+(?:/[A-Za-z0-9_+-]+)*)")
_KEY = re.compile(r"(link|language|picture)\s*:\s*(.*)", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s<>]{1,400}")
_RULER = re.compile(r"\|?[\s:|-]*-[\s:|-]*\|?")


class Unreadable(StrEnum):
    """Why a line of the section is none that this program understands."""

    WHERE = "unknown-network"
    OFTEN = "unknown-cadence"
    AT = "unknown-time"
    TWICE = "named-twice"
    VALUE = "unknown-value"


@dataclass(frozen=True)
class Unread:
    """A line of the note, from 1, that is told to the owner."""

    line: int
    why: Unreadable


@dataclass(frozen=True)
class Cadence:
    """So many posts at most in each week or month, at this time of the day in this zone."""

    place: Place
    often: int
    monthly: bool
    at: time
    zone: ZoneInfo

    def slots(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The moments, in UTC, the earliest first."""
        day = after.astimezone(self.zone).date()
        while (moment := self._on(day)) <= until:
            if moment > after and self._is_one(day):
                yield moment
            day += timedelta(days=1)

    def period(self, moment: datetime) -> tuple[int, int]:
        """The week or month that it falls into; what counts is the owner's zone."""
        local = moment.astimezone(self.zone).date()
        return (local.year, local.month) if self.monthly else local.isocalendar()[:2]

    def _on(self, day: date) -> datetime:
        return datetime.combine(day, self.at, self.zone).astimezone(UTC)

    def _is_one(self, day: date) -> bool:
        if self.monthly:
            return day.day in DAYS_OF_MONTH[self.often]
        return day.weekday() in DAYS_OF_WEEK[self.often]


@dataclass(frozen=True, kw_only=True)
class Words:
    """A few sentences of the owner's. `source` names the note they stand in."""

    theme: str
    text: str
    source: str = layout.GOALS
    link: str = ""
    language: str = ""
    pictures: tuple[Picture, ...] = ()

    def key(self, place: Place) -> str:
        """Names these words on this account: they go out there once. Changed words are others."""
        said = f"{' '.join(self.text.split())}\0{place.network}\0{place.account}"
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:8]


@dataclass(frozen=True)
class Posts:
    """The section as far as it was understood. `words` are in the order in which they are taken: one of each theme,
    then the next of each."""

    cadences: tuple[Cadence, ...] = ()
    words: tuple[Words, ...] = ()
    unread: tuple[Unread, ...] = ()


@dataclass
class _Theme:
    name: str
    link: str = ""
    language: str = ""
    pictures: list[Picture] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def read(content: bytes) -> Posts:
    """Pure. A note without the section plans nothing."""
    text = plain.visible(content[:LARGEST].decode("utf-8", "replace"), pictures=True).replace("\r\n", "\n")
    cadences: list[Cadence] = []
    unread: list[Unread] = []
    themes: list[_Theme] = []
    inside, ruled, going_on = False, False, False
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(r"#{1,2} ", line):
            inside = line.lstrip("#").strip().casefold() == "posts"
        elif not inside:
            continue
        elif line.startswith("### "):
            themes.append(_Theme(plain.one_line(line.removeprefix("### ").strip(), 80)))
            going_on = False
        elif themes:
            going_on = _of_theme(themes[-1], line, number, unread, going_on=going_on)
        elif _RULER.fullmatch(line.strip()):
            ruled = True
        elif ruled and "|" in line:
            _row(line, number, cadences, unread)
    return Posts(tuple(cadences), tuple(_in_turn(themes))[:MOST], tuple(unread))


def _of_theme(theme: _Theme, line: str, number: int, unread: list[Unread], *, going_on: bool) -> bool:
    """Take in one line; whether the next one goes on with the same words."""
    words = line.strip()
    item = re.match(r"[-*+] ", words)
    words = words[2:].strip() if item else words
    if not words:
        return False
    if found := _KEY.fullmatch(words):
        key, value = found[1].lower(), found[2].strip()
        if key == "link" and _LINK.fullmatch(value):
            theme.link = value
        elif key == "language" and re.fullmatch("[a-z]{2}", value):
            theme.language = value
        elif key == "picture" and value.partition("|")[0].strip():
            theme.pictures.append(picture_of(value))
        else:
            unread.append(Unread(number, Unreadable.VALUE))
        return False
    if re.fullmatch(r"_.*_", words):
        return False
    if going_on and not item:
        theme.texts[-1] += f"\n{words}"
    else:
        theme.texts.append(words)
    return True


def _row(line: str, number: int, cadences: list[Cadence], unread: list[Unread]) -> None:
    """One row of the table: where, how often, at. While *how often* is empty it rests."""
    cells = [cell.strip().strip("_*").strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
    where, often, at = (*cells, "", "", "")[:3]
    if not where or not often:
        return
    try:
        place = place_named(where)
    except BadEntry:
        unread.append(Unread(number, Unreadable.WHERE))
        return
    found = _OFTEN.fullmatch(often.rstrip("."))
    count = _NUMBERS.get(found[1].lower()) or int(found[1]) if found else 0
    monthly = found is not None and found[2].lower() == "month"
    begins = _time(at)
    if found is None or (monthly and count not in DAYS_OF_MONTH):
        unread.append(Unread(number, Unreadable.OFTEN))
    elif begins is None:
        unread.append(Unread(number, Unreadable.AT))
    elif any(one.place == place for one in cadences):
        unread.append(Unread(number, Unreadable.TWICE))
    else:
        cadences.append(Cadence(place, count, monthly, *begins))


def _time(words: str) -> tuple[time, ZoneInfo] | None:
    found = _AT.fullmatch(words)
    try:
        return (time(int(found[1]), int(found[2])), ZoneInfo(found[3][:64])) if found else None
    except (ValueError, OSError, KeyError):
        return None


def _in_turn(themes: list[_Theme]) -> Iterator[Words]:
    for turn in range(max((len(theme.texts) for theme in themes), default=0)):
        for theme in themes:
            if turn < len(theme.texts):
                yield Words(
                    theme=theme.name, text=theme.texts[turn], link=theme.link, language=theme.language,
                    pictures=tuple(theme.pictures),
                )  # fmt: skip
