"""From the owner's goals, and from work that is finished, to the posts that are due by their cadence: one task for each
account and moment, once; its id follows from both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from cloud_agent.posts import goals
from cloud_agent.posts.finished import Finished
from cloud_agent.posts.goals import Cadence, Posts, Words
from social.calendar import Place
from vault_protocol import layout, notes, plain
from vault_protocol.audit import Record
from vault_protocol.canonical import moment, utc
from vault_protocol.clock import Clock
from vault_protocol.errors import MalformedNote
from vault_protocol.front_matter import FrontMatter
from vault_protocol.hub import CommitId
from vault_protocol.note import Note
from vault_protocol.task import AgentId, Domain, Stage, Task, TaskId, task_id
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

AHEAD = timedelta(days=3)
"""How long before its time a post is drafted."""
_SLUG = re.compile(r"([a-z]+)-([0-9a-f]{8})(?:-.*)?")


class _Out(NamedTuple):
    """Account and time of a post that goals led to, as far as its note says."""

    account: str = ""
    due: datetime | None = None


class Goals:
    """`round` is called while nothing is held. What it remembers stands in the vault."""

    def __init__(self, agent: AgentId, clock: Clock) -> None:
        self._agent, self._clock, self._finished = agent, clock, Finished()
        self._read: tuple[bytes, Posts] = b"", Posts()
        self._head: CommitId | None = None
        self._left: set[TaskId] = set()
        """Posts that nothing was found for at this head."""
        self._out: dict[TaskId, _Out | None] = {}
        self.used_up: frozenset[Place] = frozenset()
        """Accounts for which no words are left."""

    @property
    def posts(self) -> Posts:
        """The section as it was read last."""
        return self._read[1]

    def round(self, vault: Vault) -> int:
        """How many tasks were raised now."""
        now, content = self._clock.now(), vault.journal.read(layout.GOALS) or b""
        if content != self._read[0]:
            self._read = content, goals.read(content)
        if vault.journal.head != self._head:
            self._head, self._left, self.used_up = vault.journal.head, set(), frozenset()
        return sum(
            self._raise(vault, cadence, slot)
            for cadence in self.posts.cadences
            for slot in cadence.slots(now, now + AHEAD)
        )

    def _raise(self, vault: Vault, cadence: Cadence, slot: datetime) -> bool:
        id_ = id_of(vault, cadence.place, slot)
        if id_ in vault.journal.where or id_ in self._left:
            return False
        self._left.add(id_)
        if self._in_period(vault, cadence, slot) >= cadence.often:
            return False
        spent = {key for key, _ in self._raised(vault, cadence.place)}
        left = (words for words in words_of(vault, self.posts, self._finished) if words.key(cadence.place) not in spent)
        words = next(left, None)
        if words is None:
            self.used_up |= {cadence.place}
            return False
        task, now = task_for(id_, words, cadence.place, slot, self._clock.now()), self._clock.now()
        record = Record.of(
            "post.proposed", actor=self._agent, target=id_, at=now, parameters={"network": cadence.place.network}
        )
        if added := vault.add(task, Also([record], [Update.of("proposed", now, task=id_)])):
            log.info("post.proposed", task=id_, network=cadence.place.network)
        return added

    def _in_period(self, vault: Vault, cadence: Cadence, slot: datetime) -> int:
        """Posts for this account in the week or month of `slot`, whatever the cadence was when they were raised."""
        found = [out for _, out in self._raised(vault, cadence.place) if out.account == cadence.place.account]
        return sum(out.due is not None and cadence.period(out.due) == cadence.period(slot) for out in found)

    def _raised(self, vault: Vault, place: Place) -> Iterator[tuple[str, _Out]]:
        """Each task that goals led to on this network, with the key of its words; each is read once."""
        for id_, network, key in _named(vault):
            if network == place.network:
                if id_ not in self._out:
                    self._out[id_] = _out(vault, id_, key)
                if (out := self._out[id_]) is not None:
                    yield key, out


def words_of(vault: Vault, posts: Posts, finished: Finished) -> Iterator[Words]:
    """What may be posted, in turn: what was finished is news and comes first."""
    yield from finished.look(vault)
    yield from posts.words


def id_of(vault: Vault, place: Place, slot: datetime) -> TaskId:
    """The same for every agent of a fleet: one post for each account and moment, whatever its words."""
    what = f"{utc(slot)} {place.network} {place.account}"
    return task_id(vault.journal.identity.vault.encode(), mailbox="goals", message_id=what, content_sha256="")


def task_for(id_: TaskId, words: Words, place: Place, slot: datetime, now: datetime) -> Task:
    """What stands in it is shown to the owner; the draft is made from their note again."""
    key, title = words.key(place), words.theme or "Post"
    front = FrontMatter().put(
        type="post", goal=key, source=plain.one_line(words.source, 400), received=utc(now), priority="normal",
        subject=title, network=place.network, account=place.account, due=utc(slot), not_before=utc(slot),
    )  # fmt: skip
    body = f"\n# {title}\n\n## Original\n\n{plain.fenced(words.text)}"
    slug = f"{place.network}-{key}-{plain.slug(words.theme)}"[:40].strip("-")
    return Task(id=id_, stage=Stage.NEEDS_ACTION, domain=Domain.SOCIAL, slug=slug, note=Note(front, body))


def others_with(vault: Vault, task: Task) -> list[TaskId]:
    """Other tasks for these words on this account. Two agents that saw different heads can raise such a pair."""
    key = task.note.front.words("goal")
    named = (id_ for id_, _, one in _named(vault) if one == key and id_ != task.id)
    return [id_ for id_ in named if _out(vault, id_, key) is not None]


def _named(vault: Vault) -> Iterator[tuple[TaskId, str, str]]:
    """(task, network, key of its words), by the names of the files alone: a stranger's subject can look so too."""
    for id_, path in vault.journal.where.items():
        place = layout.place_of(path)
        found = _SLUG.fullmatch(place.slug) if place else None
        if found:
            yield id_, found[1], found[2]


def _out(vault: Vault, id_: TaskId, key: str) -> _Out | None:
    """None when goals did not lead to it. What cannot be read any more keeps its words used."""
    path = vault.journal.where[id_]
    try:
        task = notes.read(path, vault.journal.read(path) or b"")
    except MalformedNote:
        return _Out()
    front = task.note.front
    if task.domain is not Domain.SOCIAL or front.words("goal") != key:
        return None
    try:
        return _Out(front.words("account"), moment(front.words("due")))
    except ValueError:
        return _Out(front.words("account"))
