"""The gate with real processes, one mail at a time: how long the owner waits for a draft, and a sent mail for the
owner."""

from __future__ import annotations

import imaplib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from statistics import median

from demo.letters import OWNER
from demo.processes import eventually
from demo.world import World, world
from tests.bench.rows import Row, milliseconds
from vault_protocol.files import write_whole
from vault_protocol.hub import CommitId
from vault_protocol.store import GitStore
from vault_protocol.task import Stage

LOOK = 0.001
"""Seconds between two looks at what a bench waits for."""
REST = 0.3
"""Seconds for everything to come to rest between two mails."""


class Eye:
    """Looks into the hub itself, without git and without taking part."""

    def __init__(self, hub: Path) -> None:
        self._ref, self._store = hub / "refs" / "heads" / "main", GitStore(hub)
        self._head, self._ids = "", frozenset[str]()

    def ids(self, stage: Stage) -> frozenset[str]:
        """The tasks of a stage. Costs one read while the head does not move."""
        head = self._ref.read_text(encoding="ascii").strip()
        if head != self._head:
            paths = self._store.paths(CommitId(head), stage.value)
            self._head, self._ids = head, frozenset(path.rpartition("/")[2][:16] for path, _ in paths)
        return self._ids

    def new(self, stage: Stage, before: frozenset[str]) -> str:
        """The one task that comes to this stage next."""
        deadline = time.monotonic() + 60
        while not (found := self.ids(stage) - before):
            assert time.monotonic() < deadline, f"nothing comes to {stage}"
            time.sleep(LOOK)
        (task,) = found
        return task


@contextmanager
def gate(folder: Path, *, resident: bool = True) -> Iterator[World]:
    """A world, set up, with no undo window and no limit that a bench would meet; no agent runs."""
    with world(folder, resident=resident) as made:
        made.set_up(undo_seconds=0)
        made.allow(mail_per_hour=100_000)
        yield made


def letter(number: int) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = f"Customer {number} <customer{number}@studio.example>", OWNER
    mail["Subject"], mail["Message-ID"] = f"Question number {number}", f"<q{number}@studio.example>"
    mail["Date"] = "Mon, 23 Nov 2026 09:00:00 +0000"
    mail.set_content("Hello,\n\ncould you send us an offer for six pages?\n\nKind regards\nA customer\n")
    return mail.as_bytes()


def mail_to_draft(folder: Path, *, quick: bool = False) -> Row:
    """From the answer of the incoming server to the draft at the hub's head. The floor: the mail server tells a
    client in IDLE, which fetches the mail and puts it durably into a file."""
    count, taken = (1 if quick else 21), []
    with gate(folder) as made:
        provider, eye = made.mail.provider, Eye(made.hub)
        floor = _Reader(made, folder / "floor")
        floors = [floor.read_after(partial(provider.deliver, letter(number))) for number in range(1_000, 1_001 + count)]
        floor.close()
        made.start_cloud()
        eventually(lambda: len(eye.ids(Stage.PENDING_APPROVAL)) == len(floors), "the first drafts", seconds=60)
        for number in range(count + 1):
            time.sleep(REST)
            before = eye.ids(Stage.PENDING_APPROVAL)
            provider.deliver(letter(number))
            taken.append(milliseconds(partial(eye.new, Stage.PENDING_APPROVAL, before)))
    return Row("mail_to_draft", "ms", median(taken[1:]), median(floors[1:]))


class _Reader:
    """A mail program that only waits for mail."""

    def __init__(self, made: World, folder: Path) -> None:
        provider = made.mail.provider
        self._imap = imaplib.IMAP4("127.0.0.1", provider.imap_port)
        self._imap.login(provider.reading.user, provider.reading.password_file.read_text(encoding="utf-8"))
        self._imap.select("INBOX", readonly=True)
        self._folder, self._count = folder, 0

    def read_after(self, deliver: Callable[[], None]) -> float:
        """Milliseconds from the end of `deliver` to the mail in a file."""
        imap = self._imap
        imap.send(b"X1 IDLE\r\n")
        assert imap.readline().startswith(b"+")
        deliver()
        begun = time.perf_counter()
        while b"EXISTS" not in imap.readline():
            pass
        imap.send(b"DONE\r\n")
        while not imap.readline().startswith(b"X1 "):
            pass
        self._count += 1
        self._fetch()
        return (time.perf_counter() - begun) * 1000

    def _fetch(self) -> None:
        _, answer = self._imap.fetch(str(self._count), "(BODY.PEEK[])")
        part = answer[0]
        assert isinstance(part, tuple)
        write_whole(self._folder / f"{self._count}.eml", part[1])

    def close(self) -> None:
        self._imap.logout()


def approve_to_accepted(folder: Path, *, quick: bool = False) -> Row:
    """From the signed approval at the hub's head to the mail in the outside server's hands, service running."""
    count, taken = (1 if quick else 11), []
    with gate(folder) as made:
        eye = Eye(made.hub)
        for number in range(count + 1):
            made.mail.provider.deliver(letter(number))
        made.start_cloud()
        made.start_local()
        eventually(lambda: len(eye.ids(Stage.PENDING_APPROVAL)) == count + 1, "the drafts", seconds=60)
        eventually(made.try_unlock, "the service answers", seconds=60)
        for task in sorted(eye.ids(Stage.PENDING_APPROVAL)):
            time.sleep(REST)
            taken.append(_accepted_after_approval(made, task))
    return Row("approve_to_accepted", "ms", median(taken[1:]))


def _accepted_after_approval(made: World, task: str) -> float:
    eye, outside = Eye(made.hub), made.mail.outside.maildir
    before, mails = eye.ids(Stage.PENDING_APPROVAL), len(list(outside.glob("*.eml")))
    approving = threading.Thread(target=made.with_passphrase, args=("approve", task, "--yes"))
    approving.start()
    while eye.ids(Stage.PENDING_APPROVAL) == before:
        time.sleep(LOOK)
    begun = time.perf_counter()
    deadline = begun + 60
    while len(list(outside.glob("*.eml"))) == mails:
        assert time.perf_counter() < deadline, "nothing was sent"
        time.sleep(LOOK)
    taken = (time.perf_counter() - begun) * 1000
    approving.join()
    return taken
