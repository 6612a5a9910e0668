"""A bank statement in Inbox/: its movements held against what is open in the books, as proposals to decide on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from accounting import statement
from accounting.matching import Matched, match
from accounting.statement import Entry, NotAStatement
from books.errors import BooksError
from books.reading import MOST
from books.values import Move
from local_agent.follow_up import is_ours
from local_agent.home import LOCAL
from local_agent.matched_payments import task_of
from local_agent.mcp.posting import Posting
from vault_protocol.audit import Record
from vault_protocol.canonical import sha256, utc
from vault_protocol.errors import ClaimLost, VaultError
from vault_protocol.note import Note
from vault_protocol.plain import fenced, visible
from vault_protocol.task import Stage, Task
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

KIND = "statement"
LOOK_AGAIN = timedelta(minutes=1)
SHOWN = 300
"""Movements of each kind that a note lists."""
RAISED = 100
"""Proposals of one statement that become requests; the others are only listed."""


def movements(name: str, content: bytes) -> tuple[Entry, ...]:
    """What a file says as a bank statement; nothing when it cannot be read as one."""
    try:
        return statement.of_file(name, content)
    except NotAStatement:
        return ()


@dataclass
class Statements:
    """`dropped` is the folder that keeps the files by their hash; `books` opens the books of a name."""

    vault: Vault
    dropped: Path
    books: Callable[[str], Posting]
    account: str
    secret: bytes

    def __post_init__(self) -> None:
        self._later: dict[str, datetime] = {}

    def step(self) -> int:
        """How many statements were put before the owner."""
        now, told = self.vault.journal.clock.now(), 0
        for task in tuple(self.vault.tasks(Stage.NEEDS_ACTION)):
            if task.note.front.words("type") != KIND or not is_ours(task) or self._later.get(task.id, now) > now:
                continue
            try:
                open_ = self.books(self.account).books.invoices(unpaid=True, limit=MOST)
            except (BooksError, VaultError) as error:
                self._later[task.id] = now + LOOK_AGAIN
                log.info("statement.waiting", task=task.id, reason=type(error).__name__)
                continue
            told += self._tell(task, open_)
        return told

    def _tell(self, task: Task, open_: tuple[Move, ...]) -> bool:
        entries = self._entries(task)
        matched = match(entries, open_)
        for proposal in matched.proposals[:RAISED]:
            now = self.vault.journal.clock.now()
            self.vault.add(task_of(proposal, task.id, books=self.account, secret=self.secret, now=now))
        held = self.vault.claim_next([task.domain], fit=lambda one: one.id == task.id)
        if held is None:
            return False
        now = self.vault.journal.clock.now()
        counts = {
            "matched": len(matched.proposals), "several": len(matched.several), "unmatched": len(matched.unmatched)
        }  # fmt: skip
        record = Record.of("statement.matched", actor=LOCAL, target=task.id, at=now, parameters=dict(counts))
        update = Update.of("statement", now, task=task.id, **counts)
        try:
            self.vault.submit(held, report(held.note, matched, len(open_), now), Also([record], [update]))
        except ClaimLost:
            return False
        return True

    def _entries(self, task: Task) -> tuple[Entry, ...]:
        digest = task.note.front.words("sha256")
        for path in self.dropped.glob(f"{digest}*") if len(digest) == 64 else ():
            content = path.read_bytes()
            if sha256(content) == digest:
                return statement.of_file(path.name, content)
        return ()


def report(note: Note, matched: Matched, looked_at: int, now: datetime) -> Note:
    """The note with the proposals above the file. It asks for nothing itself: each payment is countersigned alone."""
    parts = ["", "# A bank statement", "", f"Compared with {looked_at} open documents of the books"]
    parts[-1] += f", the newest {MOST}; older ones were not looked at." if looked_at >= MOST else "."
    if matched.proposals:
        most = f" of the first {RAISED}" if len(matched.proposals) > RAISED else ""
        parts += ["", f"Each{most} of the proposals waits as a note of its own, to be approved or not."]
    sections: tuple[tuple[str, list[str]], ...] = (
        ("Proposals", [
            f"{_shown(p.entry)}\n    pays {p.move.number}, {p.move.partner.name if p.move.partner else ''}, "
            f"open {p.move.residual}: {p.why.value}"
            for p in matched.proposals
        ]),
        ("Several would fit", [
            f"{_shown(entry)}\n    {', '.join(move.number for move in moves)}" for entry, moves in matched.several
        ]),
        ("Matched with nothing", [_shown(entry) for entry in matched.unmatched]),
    )  # fmt: skip
    for title, lines in sections:
        cut = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        body = "\n".join([*lines[:SHOWN], *cut]) or "none"
        parts += ["", f"## {title} ({len(lines)})", "", fenced(visible(body)).rstrip("\n")]
    at = note.body.find("## Original")
    rest = note.body[at:] if at >= 0 else ""
    reason = f"{len(matched.proposals)} movements fit open documents, {len(matched.unmatched)} fit none"
    return note.with_body("\n".join(parts) + "\n\n" + rest).put(created=utc(now), reason=reason)


def _shown(entry: Entry) -> str:
    return "  ".join(part for part in (
        entry.booked.isoformat(), f"{entry.amount:+,.2f} {entry.currency}", entry.party, entry.text,
    ) if part)  # fmt: skip
