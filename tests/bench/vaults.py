"""Vaults of any size, made at once: 400 tasks wait at most, the others ended, a thousand in each month."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vault_protocol import keys, notes, plain, remote
from vault_protocol.canonical import utc
from vault_protocol.clock import SystemClock
from vault_protocol.front_matter import FrontMatter
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.note import Note
from vault_protocol.remote import Remote
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Domain, Role, Stage, Task, TaskId
from vault_protocol.vault import Vault

WAITING = 400
_BEGAN = datetime(2018, 1, 1, tzinfo=UTC)
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def task(number: int, *, waits: bool) -> Task:
    """About 650 bytes: a short mail with the front matter that Cloud gives one."""
    received = _BEGAN + timedelta(days=31 * (number // 1000), minutes=number % 1000)
    front = FrontMatter().put(
        type="email", mailbox="business", account="business",
        **{"from": f"Jana Novak <customer{number}@studio.example>"},
        subject=f"Question number {number} about the pages", received=utc(received), priority="normal",
        message_id=f"<{number}@studio.example>", sha256=f"{number:064x}",
    )  # fmt: skip
    text = "Hello,\n\ncould you send us an offer for six pages?\n\nKind regards\nJana Novak\n"
    body = f"\n# Mail to the business account\n\n## Original\n\n{plain.fenced(text)}"
    id_ = TaskId("".join(_LETTERS[number >> 5 * place & 31] for place in range(15, -1, -1)))
    return Task(
        id=id_, stage=Stage.NEEDS_ACTION if waits else Stage.DONE, domain=Domain.EMAIL, slug="question",
        finished=None if waits else received, note=Note(front, body),
    )  # fmt: skip


def contents(size: int, waiting: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of every note of a vault with so many."""
    waiting = min(WAITING, size // 2) if waiting is None else waiting
    for number in range(size):
        yield notes.write(task(number, waits=number < waiting))


def hub(path: Path, size: int, waiting: int | None = None) -> Path:
    """A hub that holds such a vault in one commit and one pack."""
    remote.create(path)
    with subprocess.Popen(["git", f"--git-dir={path}", "fast-import", "--quiet"], stdin=subprocess.PIPE) as importer:
        assert importer.stdin is not None
        importer.stdin.write(b"commit refs/heads/main\ncommitter local <local@countersign.invalid> 0 +0000\n")
        importer.stdin.write(b"data 5\nbegin\n")
        for name, content in contents(size, waiting):
            importer.stdin.write(b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(content), content))
        importer.stdin.write(b"done\n")
        importer.stdin.close()
    assert importer.returncode == 0
    return path


def vault(hub: Path, home: Path, agent: str = "cloud") -> Vault:
    """The vault as Cloud has it, followed up to the hub's head."""
    store = GitStore(home / "clone.git")
    identity = Identity(AgentId(agent), Role.CLOUD, "bench", keys.new())
    opened = Vault(Journal(store, Remote(store, str(hub)), identity, SystemClock(), checkpoint=home / "followed.json"))
    opened.refresh()
    return opened
