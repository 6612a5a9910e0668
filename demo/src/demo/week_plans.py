"""The owner's plans and calendar of the week, with ten posts in them, and the account that the posts go to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from demo.mastodon import MastodonServer
from demo.world import World
from vault_protocol import request
from vault_protocol.action import PublishPost
from vault_protocol.task import Task

SOCIAL = "mastodon"
"""The account's name, and its network's."""
PLANS = {
    "workshop": (
        'read: from early2@before.example about "Workshop number 2"', "reply: step 1: Say that the agenda follows.",
        "wait", "post: mastodon: The workshop is planned.",
    ),
    "offer": (
        'read: from early1@before.example about "Workshop number 1"', "reply: step 1: Say that the offer follows.",
        "wait",
    ),
    "launch": (
        *[f"post: mastodon: Four days of launch, day {number}." for number in range(1, 5)], "wait",
        "ask: Shall the campaign go on?",
    ),
}  # fmt: skip
"""By name: two that go on after an approval, and one that ends with a question to the owner."""
PLANNED = sum(step.startswith("post:") for steps in PLANS.values() for step in steps)
CALENDAR = {10: 3, 15: 2}
"""Hours of the day, and how many posts the owner's calendar has for each; they stand in notes of their own."""
POSTS = PLANNED + sum(CALENDAR.values())
GROUPS = 2
"""In which the posts of plans are approved, each for another hour."""


def connect(world: World, server: MastodonServer) -> None:
    """As the owner would, once: the account's file, and its token in a file beside it."""
    folder = world.folder / "social"
    folder.mkdir()
    secret = folder / "token"
    secret.touch(0o600)
    secret.write_text(server.token, encoding="utf-8")
    file = folder / "account.toml"
    lines = [
        "[[social]]",
        f'name = "{SOCIAL}"',
        f'network = "{SOCIAL}"',
        f'url = "{server.url}"',
        'secret_file = "token"',
    ]
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    world.countersign("accounts", "--add", str(file))


def entries(day: datetime) -> dict[str, datetime]:
    """The text of each post of the calendar, and when it is to go out."""
    hours = [hour for hour, count in CALENDAR.items() for _ in range(count)]
    return {
        f"Number {number} of {len(hours)} notes on our work.": day.replace(hour=hour, minute=0, second=0, microsecond=0)
        for number, hour in enumerate(hours, 1)
    }


def write(world: World, day: datetime) -> list[str]:
    """A note each in the owner's folder, those of the calendar for `day`; their paths in the vault."""
    calendar = world.vault_folder / "Calendar"
    calendar.mkdir(exist_ok=True)
    for number, (text, at) in enumerate(entries(day).items(), 1):
        front = f"type: post\ntitle: Note {number}\nat: {at:%Y-%m-%d %H:%M}\ntime_zone: UTC\nnetworks: [{SOCIAL}]"
        (calendar / f"note-{number}.md").write_text(f"---\n{front}\n---\n{text}\n", encoding="utf-8")
    for name, steps in PLANS.items():
        path = world.vault_folder / "Objectives" / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        items = "\n".join(f"- {step}" for step in steps)
        path.write_text(f"---\ntype: plan\nstatus: ready\nobjective: The {name}\n---\n{items}\n", encoding="utf-8")
    written = [f"Objectives/{name}.md" for name in PLANS]
    return [*written, *(f"Calendar/note-{number}.md" for number in range(1, POSTS - PLANNED + 1))]


def post_of(task: Task) -> PublishPost | None:
    """What the task would publish."""
    asked = request.read(task.note)
    return asked.action if asked is not None and isinstance(asked.action, PublishPost) else None


def times(tasks: Sequence[Task], now: datetime) -> list[tuple[datetime, Sequence[Task]]]:
    """Each group with its time: 10, 12, 14 o'clock of the next day."""
    first = (now + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
    size = -(-len(tasks) // GROUPS)
    groups = [tasks[at : at + size] for at in range(0, len(tasks), size)]
    return [(first + timedelta(hours=2 * at), group) for at, group in enumerate(groups)]
