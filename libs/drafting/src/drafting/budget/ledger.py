"""What was spent, in a file for each day: a reservation is on the disk before its request leaves the machine.

A request that has no settlement, because the process died or no answer came, counts for all that was reserved.
"""

import errno
import json
import os
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from drafting.budget.caps import IN_WORDS, OF_A_DAY, Cap, Caps, Tokens
from vault_protocol.files import sync_folder

KEPT = timedelta(days=40)
"""How long a day's file is kept: what a task spent before that does not count against it any more."""
_FILE = re.compile(r"(\d{4}-\d\d-\d\d)\.jsonl")


class OverCap(Exception):
    """The request was not made: it could have gone over this cap, or over this share of it."""

    def __init__(self, cap: Cap, share: float = 1.0) -> None:
        self.cap, self.share = cap, share
        spent = "is used up" if share >= 1 else f"is used up to {share:.0%}"
        super().__init__(f"{IN_WORDS[cap]} {spent}")


class DamagedLedger(ValueError):
    """A file that another hand wrote in; the message says which, which line, and what to do."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Room kept for one request."""

    day: date
    number: int
    task: str
    tokens: int
    money: int


@dataclass(frozen=True, slots=True)
class Spent:
    """Of one day so far; money in millionths. `capped`: what refused a request, and how often."""

    day: date
    tokens: int = 0
    money: int = 0
    cached: int = 0
    requests: int = 0
    capped: tuple[tuple[Cap, int], ...] = ()

    @property
    def day_is_over(self) -> bool:
        """Whether a cap of the day refused a request."""
        return any(cap in OF_A_DAY for cap, _ in self.capped)


class Ledger:
    """One process has it, several threads may. Every call that writes raises OSError, with nothing counted but what a
    reservation holds already."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        """`now` is aware of its zone. Files are read at the first use."""
        self._folder, self._now, self._lock = folder, now, threading.Lock()
        self._latest: date | None = None
        self._loaded = False
        self._clear()

    def load(self) -> None:
        """Read what is there. Raises DamagedLedger."""
        with self._lock:
            self._read_all()

    def reserve(
        self, task: str, model: str, *, tokens: int, money: int, caps: Caps, zone: tzinfo, share: float = 1.0
    ) -> Reservation:
        """Keep room for at most this much. Raises OverCap when a cap has none, or when `share` of one is spent."""
        with self._lock:
            self._read_all()
            day = self._day(zone)
            for cap in Cap:
                most, spent, more = caps.of(cap), self._spent(cap, day, task), self._more(cap, tokens, money)
                if most is None:
                    continue
                if share < 1 and spent >= most * share:
                    raise OverCap(cap, share)
                if spent + more > most:
                    raise OverCap(cap)
            kept = Reservation(day, self._numbers[day] + 1, task, tokens, money)
            line = {"id": kept.number, "task": task, "model": model, "tokens": tokens, "money": money}
            self._append(day, line)
            self._count(day, line)
            return kept

    def settle(self, kept: Reservation, used: Tokens, money: int) -> None:
        """Put what was used in the place of what was kept; Tokens(0, 0) gives it all back."""
        with self._lock:
            line = {
                "of": kept.number, "asked": used.asked, "said": used.said, "cached": used.cached,
                "written": used.written, "money": money,
            }  # fmt: skip
            if self._path(kept.day).exists():  # it may be older than what is kept
                self._append(kept.day, line)
            self._count(kept.day, line)

    def note(self, over: OverCap, task: str, zone: tzinfo) -> None:
        """Remember that a task was done with no model because of a cap."""
        with self._lock:
            self._read_all()
            day, line = self._day(zone), {"capped": over.cap.value, "task": task}
            self._append(day, line)
            self._count(day, line)

    def spent(self, zone: tzinfo) -> Spent:
        """Today, as it stands, reservations included."""
        with self._lock:
            self._read_all()
            day = self._day(zone)
            return Spent(
                day, self._tokens[day], self._money[day], self._cached[day], self._requests[day],
                tuple(sorted(self._capped[day].items())),
            )  # fmt: skip

    def of_task(self, task: str) -> tuple[int, int]:
        """(tokens, money) on all the days that are kept."""
        with self._lock:
            self._read_all()
            return self._task_tokens[task], self._task_money[task]

    def _spent(self, cap: Cap, day: date, task: str) -> int:
        match cap:
            case Cap.MONEY_A_DAY:
                return self._money[day]
            case Cap.TOKENS_A_DAY:
                return self._tokens[day]
            case Cap.MONEY_A_TASK:
                return self._task_money[task]
            case Cap.TOKENS_A_TASK:
                return self._task_tokens[task]

    def _more(self, cap: Cap, tokens: int, money: int) -> int:
        return money if cap in (Cap.MONEY_A_DAY, Cap.MONEY_A_TASK) else tokens

    def _day(self, zone: tzinfo) -> date:
        """A day never goes back: a clock or a zone that does gets no new budget."""
        today = self._now().astimezone(zone).date()
        if self._latest is None or today > self._latest:
            self._latest = today
            self._prune(today)
        return self._latest

    def _clear(self) -> None:
        self._tokens, self._money, self._cached = Counter[date](), Counter[date](), Counter[date]()
        self._requests, self._numbers = Counter[date](), Counter[date]()
        self._task_tokens, self._task_money = Counter[str](), Counter[str]()
        self._capped: defaultdict[date, Counter[Cap]] = defaultdict(Counter)
        self._open: dict[tuple[date, int], Reservation] = {}

    def _count(self, day: date, line: dict[str, Any]) -> None:
        """Raises KeyError, TypeError or ValueError for what is no line of a ledger."""
        if "capped" in line:
            self._capped[day][Cap(line["capped"])] += 1
        elif "of" in line:
            used = Tokens(*(int(line[key]) for key in ("asked", "said", "cached", "written")))
            kept = self._open.pop((day, line["of"]))
            self._add(day, kept.task, used.all - kept.tokens, int(line["money"]) - kept.money)
            self._cached[day] += used.cached
        else:
            kept = Reservation(day, int(line["id"]), str(line["task"]), int(line["tokens"]), int(line["money"]))
            self._open[day, kept.number], self._numbers[day] = kept, kept.number
            self._requests[day] += 1
            self._add(day, kept.task, kept.tokens, kept.money)

    def _add(self, day: date, task: str, tokens: int, money: int) -> None:
        self._tokens[day] += tokens
        self._money[day] += money
        self._task_tokens[task] += tokens
        self._task_money[task] += money

    def _append(self, day: date, line: dict[str, Any]) -> None:
        """After this the line survives a power loss."""
        path = self._path(day)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_new = not path.exists()
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            end = os.fstat(handle).st_size
            content = (json.dumps(line, separators=(",", ":")) + "\n").encode()
            try:
                if os.write(handle, content) != len(content):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(handle)
            except OSError:
                self._loaded = False  # what is on the disk now is read again, and a torn line cut off
                with suppress(OSError):
                    os.ftruncate(handle, end)
                raise
        finally:
            os.close(handle)
        if is_new:
            sync_folder(self._folder)

    def _read_all(self) -> None:
        if self._loaded:
            return
        self._clear()
        for day, path in self._files():
            self._latest = day if self._latest is None else max(day, self._latest)
            for number, line in enumerate(_lines(path), 1):
                try:
                    self._count(day, json.loads(line))
                except (KeyError, TypeError, ValueError):
                    raise DamagedLedger(
                        f"{path}: line {number} is damaged; move the file away: the day's count then begins anew"
                    ) from None
        self._loaded = True

    def _files(self) -> list[tuple[date, Path]]:
        found = ((_FILE.fullmatch(path.name), path) for path in self._folder.glob("*.jsonl"))
        return sorted((date.fromisoformat(name[1]), path) for name, path in found if name)

    def _prune(self, today: date) -> None:
        for day, path in self._files():
            if day < today - KEPT:
                path.unlink(missing_ok=True)

    def _path(self, day: date) -> Path:
        return self._folder / f"{day.isoformat()}.jsonl"


def _lines(path: Path) -> Iterator[bytes]:
    """A last line without its end was being written when the machine stopped: its request never left, or its
    reservation stands for it. It is cut off, so that the next line begins at its own beginning."""
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        with path.open("r+b") as file:
            file.truncate(len(whole))
            file.flush()
            os.fsync(file.fileno())
    yield from whole.splitlines()
