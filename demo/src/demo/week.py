"""A week without the owner's machine, in simulated time: Cloud works alone, then everything is decided in batches.

The programs are the real ones, and so are hub, git and mail servers; only what they are told the time is, is ours.
"""

from __future__ import annotations

import email
import email.policy
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from demo import ahead
from demo import week_plans as plans
from demo.commands import DemoFailed
from demo.mastodon import MastodonServer
from demo.telling import Teller
from demo.week_letters import Post, Sort, answer, before, post
from demo.week_vault import Seen, Vault
from demo.world import World, world
from vault_protocol.task import Stage, Task

T = TypeVar("T")

HOURS = ((0, 30), (6, 0), (8, 5), (12, 0), (16, 0), (20, 0))
"""When the clock is put to, each day; mail comes at all of them but the first."""
BATCH = 30
PATIENCE = 120.0
"""Seconds of real time that a step may take."""
REMIND = timedelta(days=5)
"""As the Handbook of a new vault has it, in its working hours: Monday to Friday, 9:00 to 17:00."""
EARLY = 3
"""Mails that the owner answers with a question before the week; one of them is answered in it."""
QUESTION = "Hello Alex,\n\nwhich day would suit you?\n\nKind regards\nRobin Weber\n"
LIMITS = {"mail_per_hour": 60, "mail_per_day": 400, "social_per_hour": 20}
"""What the owner allows: a week's mails are more than the 100 a day that a new installation starts with."""


@dataclass
class Week:
    """Drives and tells it; what is kept here is what the claims are held against."""

    world: World
    console: Console
    clock: Path
    network: MastodonServer
    days: int = 7
    mails: int = 200
    posts: dict[str, Post] = field(default_factory=dict)
    """Every mail that came, by Message-ID."""
    approved: list[Task] = field(default_factory=list)
    published: dict[str, datetime] = field(default_factory=dict)
    """The text of each post that was approved, and for when."""
    rejected: list[Task] = field(default_factory=list)
    batches: int = 0
    killed: bool = False
    """Whether Local was killed while it sent."""
    alone: tuple[int, int] = (0, 0)
    """Mails at the outside server when Local left and when it came back."""
    digests: dict[str, datetime] = field(default_factory=dict)
    """Each digest by its day, and when it was there."""
    reminders: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    """By the Message-ID of the mail that the reminded one answers: when it was due, and when it was there."""
    at: tuple[datetime, int, int] | None = None
    """The batch with a time of its own: the time, and how many of it were out just before and after it."""

    def __post_init__(self) -> None:
        self.offset = timedelta(0)
        self.tell = Teller(self.console, lambda: f"{self.now:%a %H:%M}")

    @property
    def now(self) -> datetime:
        """What everybody here takes for the time, UTC."""
        return datetime.now(UTC) + self.offset

    def run(self) -> None:
        """The whole week. Raises DemoFailed when a step does not come."""
        self._set_up()
        self._before()
        for day in range(1, self.days + 1):
            self._day(day)
        self.alone = (self.alone[0], len(self.world.mail.received()))
        self._return()
        self._decide()
        self._publish()
        self._until("Cloud is done", self._settled)

    def _set_up(self) -> None:
        friday = (4 - datetime.now(UTC).weekday()) % 7 or 7
        self.friday = (datetime.now(UTC) + timedelta(days=friday)).replace(hour=14, minute=0, second=0, microsecond=0)
        self._clock_to(self.friday)
        self.tell.chapter(
            f"Friday, {self.friday:%-d %B}. The owner answers {EARLY} mails, and switches the machine off."
        )
        self.world.set_up(undo_seconds=0, settle_seconds=0.1)
        config = self.world.local_home / "config.toml"
        text = re.sub(r"(?m)^poll_seconds = .*$", "poll_seconds = 0.1", config.read_text(encoding="utf-8"))
        config.write_text(text, encoding="utf-8")
        self.world.allow(**LIMITS)
        text = self.world.cloud_config.read_text(encoding="utf-8")
        self.world.cloud_config.write_text(
            text.replace("poll_seconds = 1\n", "poll_seconds = 0.05\n"), encoding="utf-8"
        )
        plans.connect(self.world, self.network)
        self.network.clock = lambda: self.now
        self.vault = Vault(self.world.tail())
        self.world.start_cloud()
        self.world.start_local()

    def _before(self) -> None:
        """What is sent now asks something, so that an answer is awaited."""
        self.early = [self._deliver(before(number, self.now)) for number in range(EARLY)]
        self._until("the owner's key is open", self._unlocked)
        text = self.world.folder / "question.txt"
        text.write_text(QUESTION, encoding="utf-8")
        for one in self.early:
            task = self._until(f"a draft for {one.sender}", partial(self._waiting, one))
            self.world.with_passphrase("edit", task.id, "--text-file", str(text), "--approve")
        self._until("they are sent", lambda: self._sent() == EARLY)
        self._until("they are in Done", lambda: all(self._stage(one) is Stage.DONE for one in self.early))
        self.sent_at = self.now
        self.calendar = plans.entries(self.friday + timedelta(days=self.days + 4))
        paths = plans.write(self.world, self.friday + timedelta(days=self.days + 4))
        self._until("the plans are in the vault", lambda: all(map(self.vault.has, paths)))
        planned = f"{len(plans.PLANS)} plans with {plans.PLANNED} posts in them"
        self.tell.say("you", f"wrote {planned}, and {len(self.calendar)} posts into the calendar")
        self.tell.say("you", f"answered {EARLY} mails, each with a question; the machine is off now")
        assert self.world.local is not None
        self.world.local.terminate()
        self.world.local.wait(20)
        self.world.local = None
        self.alone = (self._sent(), 0)

    def _day(self, day: int) -> None:
        morning = self.friday.replace(hour=0) + timedelta(days=day)
        self.tell.chapter(f"{morning:%A}. Cloud is alone.")
        first, last = self.mails * (day - 1) // self.days, self.mails * day // self.days
        numbers = list(range(first, last))
        for at, (hour, minute) in enumerate(HOURS):
            self._clock_to(morning.replace(hour=hour, minute=minute))
            self._until("Cloud has looked at the clock", self._heard)
            share = numbers[len(numbers) * (at - 1) // 5 : len(numbers) * at // 5] if at else []
            for number in share:
                self._deliver(post(number, self.now))
            if day == 3 and hour == 12:
                self._deliver(self._answer())
            if (hour, minute) == (8, 5):
                self._digest(morning)
            self._remind()
            self._until("all that came is judged", self._settled)
        self._tell_day(numbers)

    def _tell_day(self, numbers: Sequence[int]) -> None:
        count = self.vault.count()
        self.tell.say("mail", f"{len(numbers)} mails came")
        self.tell.say(
            "cloud", f"{count[Stage.PENDING_APPROVAL]} tasks wait for the owner, {count[Stage.DONE]} are done"
        )

    def _digest(self, morning: datetime) -> None:
        day = f"{morning:%Y-%m-%d}"
        self._until(f"the digest of {day}", lambda: self.vault.has(f"Briefings/digest-{day}.md"))
        self.digests[day] = self.now

    def _remind(self) -> None:
        """Wait for the reminders that are due by now: five days after what was sent, in working hours."""
        due = self.sent_at + REMIND
        if self.now < due or self.now.weekday() > 4 or not 9 <= self.now.hour < 17 or self.reminders:
            return
        unanswered = self.early[1:]
        self._until("the reminders are drafted", lambda: all(self.vault.reminder(one.message_id) for one in unanswered))
        for one in unanswered:
            self.reminders[one.message_id] = (due, self.now)
        self.tell.say("cloud", f"no answer came to {len(unanswered)} mails of Friday: reminders are drafted")

    def _answer(self) -> Post:
        """The first of the early customers writes back, in the thread."""
        for received in self.world.mail.received():
            mail = email.message_from_bytes(received.raw, policy=email.policy.default)
            if self.early[0].sender in received.envelope.recipients:
                self.tell.say("mail", f"{self.early[0].sender} answers what was sent on Friday")
                return answer(self.early[0], str(mail["Message-ID"]), self.now)
        raise DemoFailed(f"nothing was sent to {self.early[0].sender}")

    def _return(self) -> None:
        self.tell.chapter("The owner's machine comes back.")
        self.world.start_local()
        self._until("the owner's key is open", self._unlocked)
        self.tell.say("local", f"checked {self.vault.commits()} signed changesets of the week")
        overtaken = [one.first for one in self.posts.values() if one.sort is Sort.SECOND]
        self._until("drafts that were overtaken are taken back", lambda: not any(map(self._drafted, overtaken)))
        self._until("Cloud has seen it", self._settled)
        if overtaken:
            self.tell.say("local", f"took {len(overtaken)} drafts back that a newer mail had overtaken")

    def _decide(self) -> None:
        """Batches; in the second one Local is killed; the third has a time of its own."""
        waiting = [task for task in self.vault.tasks(Stage.PENDING_APPROVAL) if task.has_action]
        drafts = [task for task in waiting if plans.post_of(task) is None]
        drafts.sort(key=lambda task: (bool(task.note.front.words("plan") or task.note.front.words("reminds")), task.id))
        turned_down, drafts = drafts[:2], drafts[2:]
        for task in turned_down:
            self.world.countersign("reject", task.id, "--why", "not for us")
        self.rejected += turned_down
        for number in range(0, len(drafts), BATCH):
            batch = drafts[number : number + BATCH]
            self.batches += 1
            if self.batches == 3 or len(drafts) <= BATCH:
                self._approve_for_later(batch)
            else:
                self._approve(batch, killed=self.batches == 2)
            self._clock_to(self.now + timedelta(hours=1, minutes=1))

    def _publish(self) -> None:
        """The posts, also the one whose plan waited for a mail to be sent; in groups, each with its time."""

        def waiting() -> list[Task]:
            tasks = self.vault.tasks(Stage.PENDING_APPROVAL)
            return [task for task in tasks if plans.post_of(task) is not None]

        self._until("every post is drafted", lambda: len(waiting()) == plans.POSTS)
        texts = {task.id: post.text.strip() for task in waiting() if (post := plans.post_of(task))}
        entries = [task for task in waiting() if texts[task.id] in self.calendar]
        groups = plans.times([task for task in waiting() if texts[task.id] not in self.calendar], self.now)
        for when, group in groups:
            self.world.with_passphrase("approve", *(task.id for task in group), "--yes", "--at", when.isoformat())
            self.published |= {texts[task.id]: when for task in group}
            self.tell.say("you", f"approve {len(group)} posts for {when:%A %H:%M}")
        self.world.with_passphrase("approve", *(task.id for task in entries), "--yes")
        self.published |= self.calendar
        self.tell.say("you", f"approve {len(entries)} posts of the calendar, each for its time")
        for when in sorted({*self.calendar.values()}):
            groups.append((when, [task for task in entries if self.calendar[texts[task.id]] == when]))
        for when, group in groups:
            self._clock_to(when - timedelta(minutes=10))
            self._until("Cloud has looked at the clock", self._heard)
            self._clock_to(when + timedelta(seconds=5))
            self._carried_out(group, "published")
        self._until("Cloud goes on with its plans", lambda: all(self._over(name) for name in plans.PLANS))

    def _over(self, name: str) -> bool:
        """A plan that is done, or asks the owner."""
        self.vault.look()
        task = self.vault.plans().get(f"Objectives/{name}.md")
        return task is not None and task.stage in (Stage.DONE, Stage.PENDING_APPROVAL)

    def _approve(self, batch: Sequence[Task], *, killed: bool) -> None:
        self.world.with_passphrase("approve", *(task.id for task in batch), "--yes")
        self.tell.say("you", f"approve {len(batch)} drafts at once")
        self.approved += batch
        if killed and self.world.local is not None:
            some = self._sent() + 3
            self._until("some of them are sent", lambda: self._sent() >= some)
            self.world.kill(self.world.local)
            self.killed = True
            self.tell.say("fault", "kill -9 local_agent in the middle of them, and a new process")
            self.world.start_local()
        self._carried_out(batch)

    def _approve_for_later(self, batch: Sequence[Task]) -> None:
        """For nine o'clock on the next morning."""
        when = (self.now + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
        was = self._sent()
        told = when.isoformat()
        self.world.with_passphrase("approve", *(task.id for task in batch), "--yes", "--at", told)
        self.tell.say("you", f"approve {len(batch)} drafts for {when:%A %H:%M}")
        self.approved += batch
        self._clock_to(when - timedelta(minutes=30))
        self._until("Cloud has looked at the clock", self._heard)
        early = self._sent() - was
        self._clock_to(when + timedelta(seconds=5))
        self._carried_out(batch)
        self.at = (when, early, self._sent() - was)

    def _carried_out(self, batch: Sequence[Task], what: str = "sent") -> None:
        ids = {task.id for task in batch}
        self._until("all of the batch is in Done", lambda: self.vault.look() and ids <= self.vault.at(Stage.DONE))
        self.tell.say("local", f"{what} {len(batch)}: each receipt is published, each note in Done")

    def _deliver(self, one: Post) -> Post:
        self.world.mail.provider.deliver(one.raw, sender=one.sender)
        self.posts[one.message_id] = one
        return one

    def _unlocked(self) -> bool:
        return self.world.try_unlock(minutes=1440)

    def _sent(self) -> int:
        return len(self.world.mail.received())

    def _heard(self) -> bool:
        """Cloud wrote its heartbeat since the clock was put."""
        self.vault.look()
        said = self.vault.last_word("cloud")
        return said is not None and said >= self.put - timedelta(minutes=1)

    def _settled(self) -> bool:
        self.vault.look()
        seen = self.vault.by_message_id
        return seen.keys() >= self.posts.keys() and not self.vault.busy()

    def _seen(self, message_id: str) -> Seen | None:
        self.vault.look()
        found = self.vault.by_message_id.get(message_id, [])
        return found[0] if found else None

    def _stage(self, one: Post) -> Stage | None:
        seen = self._seen(one.message_id)
        return seen.stage if seen else None

    def _waiting(self, one: Post) -> Task | None:
        seen = self._seen(one.message_id)
        if seen is None or seen.stage is not Stage.PENDING_APPROVAL:
            return None
        return self.vault.task(seen.id)

    def _drafted(self, message_id: str) -> bool:
        seen = self._seen(message_id)
        return seen is not None and seen.stage is Stage.PENDING_APPROVAL and self.vault.task(seen.id).has_action

    def _clock_to(self, moment: datetime) -> None:
        self.offset = moment - datetime.now(UTC)
        self.put = moment
        ahead.put(self.clock, self.offset.total_seconds())

    def _until(self, what: str, look: Callable[[], T | None]) -> T:
        ends = time.monotonic() + PATIENCE
        while not (found := look()):
            for name, process in (("cloud", self.world.cloud), ("local", self.world.local)):
                if process is not None and process.poll() is not None:
                    raise DemoFailed(f"{name}_agent ended by itself: {self.world.log_of(name)[-1500:]}")
            if time.monotonic() > ends:
                raise DemoFailed(f"not within {PATIENCE:g} s: {what}")
            self.vault.wait(0.2)
        return found


@contextmanager
def week(folder: Path, console: Console, *, days: int = 7, mails: int = 200) -> Iterator[Week]:
    """The servers and programs of one week, not begun; nothing stays behind."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = folder / "clock"
    ahead.put(clock, 0.0)
    with MastodonServer() as network, world(folder, resident=True, clock=clock) as made:
        yield Week(made, console, clock, network, days, mails)
