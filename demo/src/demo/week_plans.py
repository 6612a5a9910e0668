"""The owner's three plans of the week, with ten posts in them, and the account that the posts go to."""

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
    "campaign": tuple(f"post: mastodon: Number {number} of five notes on our work." for number in range(1, 6)),
    "launch": (
        *[f"post: mastodon: Four days of launch, day {number}." for number in range(1, 5)], "wait",
        "ask: Shall the campaign go on?",
    ),
}  # fmt: skip
"""By name: one that goes on after an approval, one that only posts, and one that ends with a question to the owner."""
POSTS = sum(step.startswith("post:") for steps in PLANS.values() for step in steps)
GROUPS = 3
"""In which the posts are approved, each for another hour."""


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


def write(world: World) -> list[str]:
    """A note each in the owner's folder; their paths in the vault."""
    for name, steps in PLANS.items():
        path = world.vault_folder / "Objectives" / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        items = "\n".join(f"- {step}" for step in steps)
        path.write_text(f"---\ntype: plan\nstatus: ready\nobjective: The {name}\n---\n{items}\n", encoding="utf-8")
    return [f"Objectives/{name}.md" for name in PLANS]


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
