"""An office whose clocks are ours: real agents, hub and mail servers, and days that pass when we say so."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from demo import ahead
from demo import world as worlds
from demo.hub_machine import free_port
from demo.letters import OWNER
from demo.processes import NotReady
from demo.tail import Tail
from demo.world import World
from vault_protocol import layout, updates
from vault_protocol.canonical import utc
from vault_protocol.task import AgentId, Stage, Task

AGENT = AgentId("cloud")
STRIDE = timedelta(hours=2)
"""Time passes in steps of this length."""
SILENCE = timedelta(hours=7)
"""Of the hub or of Cloud, after which Local is to raise an alarm: longer than three steps."""
PATIENCE = 180.0
LOOK = 0.05
LOCKED = "the key is locked"
"""What the owner is told when a service that has just started is asked to sign: no alarm."""
STILL = 15.0
"""Seconds after which what is wrong is no step that is just under way."""


@dataclass
class Month:
    """`now` is what everybody in the office takes for the time."""

    world: World
    clock: Path
    tail: Tail
    state_port: int
    offset: timedelta = timedelta(0)
    sent: dict[int, bool] = field(default_factory=dict)
    """Each question, and whether it was approved."""
    alarms: list[str] = field(default_factory=list)
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))
    looks: int = 0
    moved_again: int = 0

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def pass_by(self, stride: timedelta = STRIDE) -> None:
        self.offset += stride
        ahead.put(self.clock, self.offset.total_seconds())

    def until_heard(self) -> None:
        """Cloud worked at this hour, and the hub and Local's folder have it."""
        since = self.now - timedelta(minutes=30)

        def heard() -> bool:
            self.tail.new()
            said = updates.last_word(*(self.tail.read(path) for path in updates.both_paths(AGENT)))
            return said is not None and said >= since

        self.until(heard, f"a word of Cloud after {utc(since)}")

    def until(self, look: object, what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not look():  # type: ignore[operator]
            if time.monotonic() > end:
                raise NotReady(f"not within {PATIENCE:g} s: {what}\n{self.world.log_of('local')[-2000:]}")
            time.sleep(LOOK)

    def ask(self, number: int) -> None:
        mail = _mail(f"customer{number}@studio.example", topic(number), f"<q{number}@studio.example>", self.now)
        mail.set_content("Hello,\n\nCould you send us an offer for six pages? Would January work?\n\nKind regards\n")
        self.sent.setdefault(number, False)
        self.world.mail.provider.deliver(mail.as_bytes(), sender=f"customer{number}@studio.example")

    def newsletter(self, number: int) -> None:
        mail = _mail("news@weekly.example", f"Issue {number}", f"<n{number}@weekly.example>", self.now)
        mail["List-Id"], mail["Precedence"] = "Weekly <weekly.example>", "bulk"
        mail.set_content("This week: ten colour palettes.\n\nUnsubscribe any time.\n")
        self.world.mail.provider.deliver(mail.as_bytes(), sender="news@weekly.example")

    def tasks(self) -> list[Task]:
        self.tail.new()
        return self.tail.tasks()

    def at(self, number: int, stage: Stage) -> Task:
        found: list[Task] = []

        def look() -> bool:
            found[:] = [
                task
                for task in self.tasks()
                if task.note.front.words("subject") == topic(number) and task.stage == stage
            ]
            return bool(found)

        self.until(look, f"{topic(number)!r} in {stage}")
        return found[0]

    def approve(self, number: int) -> None:
        """By moving its file, as a person would."""
        path = self.world.vault_folder / layout.path_of(self.at(number, Stage.PENDING_APPROVAL))
        self.until(path.exists, f"{path.name} in the folder")
        path.rename(self.world.vault_folder / "Approved" / path.name)
        self.sent[number] = True

    def done(self, number: int) -> None:
        """What was approved is done. A file that was put back, for whatever reason, is moved once more, and counted."""
        task = next(task for task in self.tasks() if task.note.front.words("subject") == topic(number))
        waiting = self.world.vault_folder / "Pending_Approval" / "email"

        def is_done() -> bool:
            if any(one.id == task.id and one.stage == Stage.DONE for one in self.tasks()):
                return True
            for path in waiting.glob(f"{task.id}-*"):
                path.replace(self.world.vault_folder / "Approved" / path.name)
                self.moved_again += 1
            return False

        self.until(is_done, f"{topic(number)!r} is done")

    def unlock(self) -> None:
        """For a day of theirs."""
        self.until(lambda: self.world.try_unlock(minutes=1440), "the service answers")

    def look_for_alarms(self) -> None:
        """What the owner or a monitor would be told now, though nothing is wrong, and is told still a while later."""
        self.looks += 1
        end = time.monotonic() + STILL
        while (found := [*self.silences(), *self._monitored()]) and time.monotonic() < end:
            time.sleep(LOOK)
        self.alarms += [f"{utc(self.now)} {one}" for one in found]

    def _monitored(self) -> list[str]:
        found = list[str]()
        for path in ("healthz", "state"):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.state_port}/{path}", timeout=20) as answer:
                    lines = answer.read().decode().splitlines()
            except OSError as error:
                lines = [f"{path}: {error}"]
            found += [line for line in lines if not line.endswith((" ok", "alive"))]
        return found

    def silences(self) -> list[str]:
        status = json.loads((self.world.local_home / "state" / "status.json").read_bytes())
        said = [one[3] for one in status["silences"]] + [words for _, _, words in status["notices"]]
        said = [words for words in said if LOCKED not in words]
        return [*said, *([status["untrusted"]] if status["untrusted"] else [])]

    def answers(self, number: int) -> int:
        to = f"customer{number}@studio.example"
        return sum(to in mail.envelope.recipients for mail in self.world.mail.received())

    def memory(self) -> dict[str, int]:
        """Kilobytes that each process holds."""
        machine = self.world.machine
        found = {"cloud": self.world.cloud, "local": self.world.local, "hub": machine.process if machine else None}
        return {name: _resident(process.pid) for name, process in found.items() if process is not None}

    def disks(self) -> dict[str, int]:
        """Bytes below each folder that is a volume or a home in production."""
        machine = self.world.machine
        assert machine is not None
        places = {
            "hub": machine.folder, "cloud": self.world.cloud_home, "local": self.world.local_home,
            "folder": self.world.vault_folder,
        }  # fmt: skip
        return {name: sum(_size(file) for file in place.rglob("*")) for name, place in places.items()}


def topic(number: int) -> str:
    return f"Question number {number} about the pages"


@contextmanager
def month(folder: Path) -> Iterator[Month]:
    """Hub, Cloud and Local at work; nothing stays behind."""
    clock = folder / "clock"
    ahead.put(clock, 0.0)
    port = free_port()
    with worlds.world(folder, resident=True, clock=clock) as made:
        made.set_up(undo_seconds=0, settle_seconds=0.1)
        _settings(made, port)
        made.start_cloud()
        made.start_local()
        yield Month(made, clock, made.tail(), port)


def _settings(made: World, port: int) -> None:
    """They look round twice a second, as the days pass faster; the hub tidies each ten seconds."""
    config = made.local_home / "config.toml"
    text = re.sub(r"(?m)^poll_seconds = .*$", "poll_seconds = 0.02", config.read_text(encoding="utf-8"))
    minutes = int(SILENCE.total_seconds() // 60)
    text = re.sub(r"(?m)^alarm_minutes = .*\n", "", text)
    config.write_text(f"alarm_minutes = {minutes}\n{text}", encoding="utf-8")
    text = made.cloud_config.read_text(encoding="utf-8").replace("poll_seconds = 1\n", "poll_seconds = 0.02\n")
    made.cloud_config.write_text(f'health_host = "127.0.0.1"\nhealth_port = {port}\n{text}', encoding="utf-8")
    assert made.machine is not None
    hub = made.machine.config.read_text(encoding="utf-8")
    made.machine.config.write_text(f"maintenance_seconds = 10\n{hub}", encoding="utf-8")
    made.machine.stop()
    made.machine.start()


def _mail(sender: str, subject: str, number: str, now: datetime) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Customer <{sender}>", OWNER, subject
    mail["Date"], mail["Message-ID"] = now.strftime("%a, %d %b %Y %H:%M:%S +0000"), number
    return mail


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])


def _size(file: Path) -> int:
    try:
        return file.lstat().st_size
    except FileNotFoundError:
        return 0
