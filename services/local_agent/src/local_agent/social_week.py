"""The week on our social accounts: what we published and how it was taken, one note a week."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from datetime import datetime, timedelta

import structlog

from accounting.briefing import week_of
from local_agent.aside import Aside, aside
from local_agent.assemble import Local
from local_agent.home import LOCAL
from local_agent.networks.account import SocialAccount
from local_agent.networks.network import AnswerLost, Network, NotPublished, OwnPost
from local_agent.networks.opening import open_network
from local_agent.social_facts import Facts, facts
from social import LIMITS
from vault_protocol.audit import Record
from vault_protocol.canonical import utc
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.plain import fenced, one_line, visible
from vault_protocol.updates import Update
from vault_protocol.vault import Also

log = structlog.get_logger()

HOUR = 6
"""UTC, on Mondays, as the briefing's."""
MOST = 50
SHOWN = 20
"""Posts of one account that the note lists, those with the most said and done about them first; planned ones, the next
first."""

Read = tuple[SocialAccount, Sequence[OwnPost] | str]
"""An account with its posts, or why they could not be read."""


class SocialWeek:
    """`step` writes last week's note when it is time and it is not there."""

    def __init__(
        self, local: Local, open_: Callable[[SocialAccount], Network] = open_network, aside: Aside = aside
    ) -> None:
        self._local, self._open, self._aside = local, open_, aside
        self._looked: datetime | None = None
        self._reading: Future[tuple[Read, ...]] | None = None

    def step(self) -> bool:
        """Whether a note was written now."""
        now, local = self._local.clock.now(), self._local
        if self._reading is None:
            if self._looked is not None and now - self._looked < timedelta(minutes=10):
                return False
            self._looked = now
            begins = _monday(now) + timedelta(hours=HOUR)
            if not local.settings.social or now < begins or local.vault.journal.read(path_of(now)) is not None:
                return False
            self._reading = self._aside(lambda: self._read(_monday(now)))
        if not self._reading.done():
            return False
        found, self._reading = self._reading.result(), None
        self._write(found, now)
        return True

    def _read(self, monday: datetime) -> tuple[Read, ...]:
        return tuple((account, self._posts(account, monday)) for account in self._local.settings.social)

    def _posts(self, account: SocialAccount, monday: datetime) -> Sequence[OwnPost] | str:
        try:
            network = self._open(account)
            with closing(network):
                found = network.own(since=monday - timedelta(days=7), most=MOST)
        except (NotPublished, AnswerLost) as error:
            return str(error)
        return [one for one in found if one.at < monday]

    def _write(self, found: Sequence[Read], now: datetime) -> None:
        week = week_of((_monday(now) - timedelta(days=7)).date())
        front = FrontMatter().put(type="social_week", week=week, created=utc(now))
        posts = sum(len(read) for _, read in found if not isinstance(read, str))
        unread = sum(isinstance(read, str) for _, read in found)
        note = Note(front, render(week, found, facts(self._local.vault, _monday(now))))
        record = Record.of(
            "social.week_written", actor=LOCAL, target=week, at=now, result="published",
            parameters={"posts": posts, "unavailable": unread},
        )  # fmt: skip
        update = Update.of("social_week", now, week=week.lower(), posts=posts)
        self._local.vault.write("briefing", f"social {week}", {path_of(now): note.content()}, Also([record], [update]))
        log.info("social.week_written", posts=posts, unavailable=unread)


def path_of(now: datetime) -> str:
    """The note that is written in this week, about the last one."""
    return f"Briefings/social-{week_of((_monday(now) - timedelta(days=7)).date())}.md"


def render(week: str, found: Sequence[Read], known: Mapping[str, Facts]) -> str:
    """What a network says of our posts is words from outside: they stand in fences."""
    parts = [f"\n# Social networks in {week}\n"]
    for account, read in found:
        parts.append(f"\n## {LIMITS[account.network].name}, {account.name}\n")
        ours = known.get(account.name, Facts())
        parts.append(f"\n{ours.told()}\n")
        if ours.planned:
            parts.append("\nPlanned:\n\n" + fenced(visible("\n".join(ours.planned[:SHOWN]))))
        if isinstance(read, str):
            parts.append(f"\nIt could not be read: {one_line(read, 200)}\n")
            continue
        parts.append(f"\n{_counted(len(read), 'post')}{_sums(read)}.\n")
        shown = sorted(read, key=lambda one: (-sum(one.figures.values()), one.at))[:SHOWN]
        lines = "".join(f"{_figures(one)}\n    {one_line(one.text, 160)}\n" for one in shown)
        if lines:
            parts.append("\n" + fenced(visible(lines)))
    return "".join(parts)


def _sums(posts: Sequence[OwnPost]) -> str:
    names = dict.fromkeys(name for one in posts for name in one.figures)
    return "".join(f", {sum(one.figures.get(name, 0) for one in posts)} {name}" for name in names)


def _figures(post: OwnPost) -> str:
    told = ", ".join(f"{count} {name}" for name, count in post.figures.items())
    return f"{post.at:%Y-%m-%d %H:%M}  {told or 'no figures'}  {one_line(post.url, 120)}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _monday(now: datetime) -> datetime:
    return (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
