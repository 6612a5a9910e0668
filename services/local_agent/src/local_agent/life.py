"""Signs of life: since when the hub does not answer, takes nothing, refuses, or an agent has said nothing.

Each cloud agent writes a signed word with the time into Updates/ at a bounded interval (`updates.alive_path`). A hub
can keep it back, but not make one up: withholding shows here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import structlog

from local_agent.home import LOCAL
from local_agent.taking import Refusal
from vault_protocol import updates
from vault_protocol.canonical import moment, utc
from vault_protocol.clock import Clock
from vault_protocol.files import write_private
from vault_protocol.hub import CommitId, Edits
from vault_protocol.journal import Journal
from vault_protocol.task import AgentId
from vault_protocol.updates import Update

log = structlog.get_logger()

KEEP_EVERY = timedelta(minutes=1)
"""Between two writes of the file when only the time of the last answer changed."""

SILENT, HEARD, REVOKED = "agent_silent", "agent_heard", "agent_revoked"


class Kind(StrEnum):
    """What is silent."""

    UNREACHABLE = "hub unreachable"
    FROZEN = "hub frozen"
    REFUSING = "hub refuses"
    AGENT = "agent silent"


@dataclass(frozen=True)
class Silence:
    """Nothing was heard since then. `agent` is named for an agent that is silent, `refusal` for a hub that refuses."""

    kind: Kind
    since: datetime
    agent: str = ""
    refusal: Refusal | None = None

    def words(self) -> str:
        """For the owner; the same as long as it lasts."""
        since = utc(self.since)
        match self.kind:
            case Kind.UNREACHABLE:
                return f"the hub has not answered since {since}"
            case Kind.FROZEN:
                return f"the hub answers, but has taken nothing since {since}"
            case Kind.REFUSING:
                return self.refusal.words() if self.refusal else ""
            case Kind.AGENT:
                return f"{self.agent} was last heard at {since}: it is down, or the hub keeps back what it writes"


class SignsOfLife:
    """What was heard, and when, by this machine's clock; kept over restarts in a private file."""

    def __init__(self, file: Path, clock: Clock, agents: Iterable[AgentId], after: timedelta) -> None:
        """`agents`: those that are to be heard. `after`: how long a silence lasts before it is one."""
        self._file, self._clock, self._after = file, clock, after
        self._agents = tuple(agents)
        self._answered = clock.now()
        self._denied: datetime | None = None
        self._heard: dict[str, tuple[str, datetime]] = {}
        self._load()
        self._kept: datetime | None = None
        self._known: frozenset[tuple[Kind, str]] = frozenset()

    def answered(self) -> None:
        """The hub said where its head is."""
        self._answered = self._clock.now()
        if self._kept is None or self._answered - self._kept >= KEEP_EVERY:
            self._keep()

    def denied(self) -> None:
        """It answered, and then took no publish."""
        self._denied = self._denied or self._clock.now()

    def took(self) -> None:
        """Whatever there was to publish is published."""
        self._denied = None

    def hear(self, journal: Journal) -> None:
        """Take up the last word of each agent at the head."""
        now, news = self._clock.now(), False
        for agent in self._agents:
            said = updates.last_word(*(journal.read(path) for path in updates.both_paths(agent)))
            word = utc(said) if said else ""
            if agent not in self._heard or self._heard[agent][0] != word:
                self._heard[agent] = word, now
                news = True
        if news:
            self._keep()

    def silent_agents(self) -> tuple[AgentId, ...]:
        now = self._clock.now()
        return tuple(agent for agent in self._agents if now - self._last(agent) >= self._after)

    def silences(self, *, following: bool, refusal: Refusal | None = None) -> tuple[Silence, ...]:
        """What is silent for too long, and what the hub refuses for as long. Agents are heard only while the head is
        followed (`following`)."""
        now = self._clock.now()
        found: list[Silence] = []
        if now - self._answered >= self._after:
            found.append(Silence(Kind.UNREACHABLE, self._answered))
        elif self._denied is not None and now - self._denied >= self._after:
            found.append(Silence(Kind.FROZEN, self._denied))
        elif refusal is not None and now - refusal.since >= self._after:
            found.append(Silence(Kind.REFUSING, refusal.since, refusal=refusal))
        if following and not any(one.kind in (Kind.UNREACHABLE, Kind.FROZEN) for one in found):
            found += [Silence(Kind.AGENT, self._last(agent), agent) for agent in self.silent_agents()]
        self._log(found)
        return tuple(found)

    def _last(self, agent: str) -> datetime:
        """When it spoke by its own clock, or when that came here, whichever is earlier: a clock that is ahead hides
        nothing, and a hub that hands on old words late is not news."""
        word, came = self._heard.get(agent, ("", self._clock.now()))
        return min(moment(word), came) if word else came

    def _log(self, found: list[Silence]) -> None:
        marks = {(one.kind, one.agent): one for one in found}
        for mark, one in marks.items():
            if mark not in self._known:
                log.error("silence.begun", kind=one.kind.value, agent=one.agent, since=utc(one.since))
        for kind, agent in self._known - marks.keys():
            log.info("silence.ended", kind=kind.value, agent=agent)
        self._known = frozenset(marks)

    def _load(self) -> None:
        try:
            found = json.loads(self._file.read_bytes())
            self._answered = min(self._answered, moment(found["answered"]))
            for agent, (word, came) in found["heard"].items():
                self._heard[str(agent)] = str(word), moment(came)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._heard = {}

    def _keep(self) -> None:
        self._kept = self._clock.now()
        heard = {agent: [word, utc(came)] for agent, (word, came) in self._heard.items()}
        write_private(self._file, json.dumps({"answered": utc(self._answered), "heard": heard}).encode("ascii"))


def tell(journal: Journal, silent: Iterable[str], agents: Iterable[AgentId]) -> None:
    """A line in our Updates for each agent that fell silent, was heard again, or is silent and waited for no more: the
    dashboard shows it."""
    wanted, known, now = frozenset(silent), frozenset(agents), journal.clock.now()

    def build(_head: CommitId | None) -> Edits:
        path = updates.path(LOCAL)
        content = journal.read(path)
        told = told_silent(updates.parse(content or b""))
        lines = [Update.of(SILENT, now, agent=agent) for agent in sorted(wanted - told)]
        lines += [Update.of(HEARD if agent in known else REVOKED, now, agent=agent) for agent in sorted(told - wanted)]
        return {path: updates.add(content, *lines)} if lines else {}

    journal.publish("tell", "signs of life", build)


def untold(journal: Journal, silences: Iterable[Silence]) -> tuple[Silence, ...]:
    """Those that no line of `tell` at the head is about."""
    found = tuple(silences)
    if not any(one.kind is Kind.AGENT for one in found):
        return found
    told = told_silent(updates.parse(journal.read(updates.path(LOCAL)) or b""))
    return tuple(one for one in found if one.kind is not Kind.AGENT or one.agent not in told)


def told_silent(lines: Iterable[Update]) -> frozenset[str]:
    """The agents that these lines of Local last called silent."""
    silent: dict[str, bool] = {}
    for line in lines:
        if line.event in (SILENT, HEARD, REVOKED):
            silent[dict(line.facts).get("agent", "")] = line.event == SILENT
    return frozenset(agent for agent, holds in silent.items() if holds and agent)
