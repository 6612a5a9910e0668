"""How long a task has been waiting, and which comes first."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from vault_protocol.canonical import moment
from vault_protocol.task import Task

STALE = timedelta(hours=24)
"""When a request is called stale that does not say it itself."""

RANK = {"high": 0, "normal": 1, "low": 2}


def time_of(task: Task, *keys: str) -> datetime | None:
    """The first of these front-matter keys that holds a time."""
    for key in keys:
        try:
            return moment(task.note.front.words(key))
        except ValueError:
            continue
    return None


def since(task: Task) -> datetime | None:
    """When the owner's attention began to be asked for."""
    return time_of(task, "created", "received")


def stale(task: Task, now: datetime) -> bool:
    """Whether it waits for longer than it wanted to. It is never dead."""
    told = time_of(task, "stale_after")
    if told is not None:
        return now >= told
    hours = re.fullmatch(r"(\d{1,4}) ?h(?:ours?)?", task.note.front.words("stale_after"))
    asked = since(task)
    return asked is not None and now - asked >= (timedelta(hours=int(hours[1])) if hours else STALE)


def age(then: datetime | None, now: datetime) -> str:
    """`3 min`, `5 h`, `2 d`; empty when nobody knows."""
    return span(now - then) if then else ""


def span(passed: timedelta) -> str:
    seconds = max(0, int(passed.total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def urgency(task: Task) -> tuple[int, str, str]:
    front = task.note.front
    return RANK.get(front.words("priority"), 1), front.words("received"), task.id
