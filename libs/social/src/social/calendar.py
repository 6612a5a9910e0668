"""One note below Calendar/: what is posted, where and when, in the owner's words (docs/social.md has its shape)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from vault_protocol import plain
from vault_protocol.canonical import utc
from vault_protocol.errors import MalformedNote
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.social_action import NETWORKS, Network
from vault_protocol.task import TaskId, task_id

LARGEST = 64 * 1024
"""Bytes an entry may have."""
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class BadEntry(ValueError):
    """The note is no entry; the message says what is wrong with it, for the owner."""


class Resting(BadEntry):
    """It has no time yet."""


@dataclass(frozen=True)
class Place:
    """Where something is posted: a network, and the name of the owner's account there."""

    network: Network
    account: str


@dataclass(frozen=True)
class Picture:
    """A file that was dropped into Inbox/, by its name, and what it shows."""

    name: str
    alt: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`at` is in UTC. `words` holds the text, or the section that is headed by a network's name."""

    at: datetime
    places: tuple[Place, ...]
    title: str
    words: str
    own_words: dict[str, str]
    link: str = ""
    pictures: tuple[Picture, ...] = ()
    language: str = ""
    write: bool = False
    """The words are what a model writes from, where there is one."""

    def words_for(self, network: Network) -> str:
        return self.own_words.get(network, self.words)


def parse(content: bytes) -> Entry:
    """Raises BadEntry, and Resting for an entry without a time."""
    if len(content) > LARGEST:
        raise BadEntry(f"it has more than {LARGEST} bytes")
    try:
        note = Note.parse(content)
    except MalformedNote as error:
        raise BadEntry(f"it is no note: {error.reason}") from None
    front = note.front
    words, own = _words(plain.visible(note.body, pictures=True))
    places = tuple(place_named(one) for one in _list(front, "networks"))
    if not places:
        raise BadEntry(f"`networks` is missing: {', '.join(NETWORKS)}")
    if len(set(places)) < len(places):
        raise BadEntry("`networks` names one account twice")
    return Entry(
        at=_at(front), places=places, title=plain.one_line(front.words("title"), 120), words=words, own_words=own,
        link=front.words("link").strip(), pictures=tuple(picture_of(one) for one in _list(front, "pictures")),
        language=front.words("language").strip(), write=front.get("write") is True,
    )  # fmt: skip


def read(content: bytes) -> Entry | str:
    """The entry, or what is wrong with it; empty for one that rests."""
    try:
        return parse(content)
    except Resting:
        return ""
    except BadEntry as error:
        return str(error)


def id_of(vault: str, path: str, entry: Entry | str, place: Place | None) -> TaskId:
    """The same for every agent of a fleet. A moved entry is another one; changed words are not."""
    what = f"{utc(entry.at)} {place.network} {place.account}" if isinstance(entry, Entry) and place else str(entry)
    return task_id(vault.encode(), mailbox=f"calendar {path}", message_id=what, content_sha256="")


def holds(content: bytes | None, vault: str, path: str, id_: TaskId) -> bool:
    """Whether the entry still plans this very post. One that cannot be read may be half written: it holds."""
    if content is None:
        return False
    entry = read(content)
    if isinstance(entry, Entry):
        return any(id_of(vault, path, entry, place) == id_ for place in entry.places)
    return entry != ""


def _at(front: FrontMatter) -> datetime:
    text, name = front.words("at").strip(), front.words("time_zone").strip()
    if not text:
        raise Resting("`at` is empty: write 2026-12-01 09:00")
    try:
        found = datetime.fromisoformat(text[:40])
    except ValueError:
        raise BadEntry("`at` is no moment: write 2026-12-01 09:00") from None
    if found.tzinfo is None:
        if not name:
            raise BadEntry("`time_zone` is missing: write Europe/Berlin")
        try:
            found = found.replace(tzinfo=ZoneInfo(name[:64]))
        except (ValueError, OSError, KeyError):
            raise BadEntry("`time_zone` is unknown: write Europe/Berlin") from None
    try:
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadEntry("`at` is no moment: write 2026-12-01 09:00") from None


def _list(front: FrontMatter, key: str) -> tuple[str, ...]:
    value = front.get(key)
    if value is None:
        return ()
    return tuple(str(one).strip() for one in (value if isinstance(value, list) else [value]))


def place_named(text: str) -> Place:
    """`mastodon`, or `mastodon able-on-mastodon` for an account that is named otherwise than its network. Raises
    BadEntry."""
    name, _, account = (" ".join(text.lower().split())).partition(" ")
    network = next((one for one in NETWORKS if one == name), None)
    if network is None:
        raise BadEntry(f"{plain.one_line(text, 40)!r} is no network: write one of {', '.join(NETWORKS)}")
    if not _ACCOUNT.fullmatch(account or network):
        raise BadEntry(f"{plain.one_line(account, 60)!r} is no name of an account")
    return Place(network, account or network)


def picture_of(text: str) -> Picture:
    """`shop.jpg | what it shows`. Raises BadEntry."""
    name, _, alt = text.partition("|")
    if not name.strip():
        raise BadEntry("a picture has no name: write shop.jpg | what it shows")
    return Picture(plain.one_line(name.strip(), 120), plain.one_line(alt.strip(), 900))


def _words(body: str) -> tuple[str, dict[str, str]]:
    """The text, and that of each section `## Mastodon`. Any other heading is part of the text."""
    where, parts = "", {"": list[str]()}
    for line in body.split("\n"):
        heading = line.removeprefix("## ").strip().lower() if line.startswith("## ") else ""
        if heading in NETWORKS:
            where = heading
            parts.setdefault(where, [])
        else:
            parts[where].append(line.rstrip())
    texts = {name: "\n".join(lines).strip() for name, lines in parts.items()}
    return texts.pop(""), texts
