"""One running world for the tests of this folder: each sends its own mail and follows its own task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from itertools import count
from pathlib import Path

import pytest

from demo.letters import OWNER
from demo.processes import eventually
from demo.received import Received
from demo.tail import Tail
from demo.world import World, world
from vault_protocol import layout
from vault_protocol.task import Stage, Task

NUMBERS = count(1)


PATIENCE = 90.0
"""Seconds for what two agents and a hub bring about on a busy machine; one that hears nothing looks every 30."""


@dataclass
class Gate:
    """Both agents at work. `ask` sends a mail that wants an answer and gives the words its task is found by."""

    world: World
    tail: Tail
    asked: dict[str, str] = field(default_factory=dict)

    def ask(self, text: str = "Could you send us an offer for six pages? Would January work?") -> str:
        number = next(NUMBERS)
        topic = f"Question number {number} about the pages"
        sender = f"customer{number}@studio.example"
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"Customer {number} <{sender}>", OWNER, topic
        mail["Date"], mail["Message-ID"] = "Mon, 23 Nov 2026 09:00:00 +0000", f"<q{number}@studio.example>"
        mail.set_content(f"Hello,\n\n{text}\n\nKind regards\nCustomer {number}\n")
        self.world.mail.provider.deliver(mail.as_bytes(), sender=sender)
        self.asked[topic] = sender
        return topic

    def task(self, topic: str) -> Task | None:
        self.tail.new()
        return self.tail.task(topic)

    def at(self, topic: str, *stages: Stage) -> Task:
        """The task once it is in one of these stages."""

        def look() -> Task | None:
            found = self.task(topic)
            return found if found is not None and found.stage in stages else None

        found = eventually(look, f"{topic!r} in {', '.join(stages)}", seconds=PATIENCE)
        assert found is not None
        return found

    def in_folder(self, task: Task) -> Path:
        """Its file in the owner's folder, once the mirror has put it there."""
        path = self.world.vault_folder / layout.path_of(task)
        eventually(path.exists, f"{path.name} in the owner's folder", seconds=PATIENCE)
        return path

    def sent_to(self, topic: str) -> list[Received]:
        """What the outside server accepted for the sender of this topic."""
        return [mail for mail in self.world.mail.received() if self.asked[topic] in mail.envelope.recipients]

    def until(self, look: Callable[[], object], what: str) -> None:
        eventually(look, what, seconds=PATIENCE)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The kind of hub a fixture's world has: resident, and where it is asked for a plain git remote too (`prove`)."""
    plain = pytest.param("git", marks=pytest.mark.prove)
    kinds = ["resident", plain] if metafunc.definition.get_closest_marker("both_hubs") else ["resident"]
    for name, scope in (("gate", "module"), ("home", "function")):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, kinds, indirect=True, scope=scope)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def gate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """Cloud and Local running, the approval key unlocked in the service."""
    folder = tmp_path_factory.mktemp("gate")
    with world(folder, resident=request.param == "resident") as made:
        made.set_up(undo_seconds=0, settle_seconds=0.3)
        made.start_cloud()
        made.start_local()
        eventually(lambda: made.try_unlock(), "the service answers", seconds=PATIENCE)
        yield Gate(made, made.tail())
