"""How a drill ended: for a person as a note, for the dashboard as one line, for a script as its last line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from backup import hub_restored
from backup.drill import ledger
from vault_protocol.canonical import utc

EVENT = "restore-drill"


@dataclass(frozen=True)
class Report:
    """`rto`: seconds from nothing to what was proved. `rpo`: seconds of work that would have been lost."""

    at: datetime
    rto: int
    rpo: int
    vault: hub_restored.Proof | None = None
    served: bool = False
    books: ledger.Proof | None = None

    @property
    def well(self) -> bool:
        return self.vault is None or not self.vault.findings

    def last_line(self) -> str:
        return f"RTO {self.rto} s, RPO {self.rpo} s"

    def facts(self) -> dict[str, str | int]:
        """Words and numbers for an update."""
        found: dict[str, str | int] = {"result": "ok" if self.well else "failed", "rto_s": self.rto, "rpo_s": self.rpo}
        if self.vault is not None:
            found |= {"tasks": self.vault.tasks, "commits": self.vault.commits, "findings": len(self.vault.findings)}
        if self.books is not None:
            found |= {"moves": self.books.moves, "files": self.books.files}
        return found

    def lines(self) -> Iterator[tuple[str, str]]:
        """What was proved, and by what."""
        if self.vault is not None:
            one = self.vault
            yield "vault", f"{one.commits} commits, head {one.head[:12]}, {one.later} after the count"
            yield "tasks", f"{one.tasks}, the same in every stage"
            yield "git fsck, doctor, audit chains", f"{len(one.findings)} findings"
            yield "hub", "judged every commit and served" if self.served else "its program is not here, not served"
        if self.books is not None:
            two = self.books
            yield "documents of the books", f"{two.moves}, the same by kind, state and total"
            yield "trial balance", f"{two.accounts} accounts, {two.debit} on both sides, the same"
            yield "attachments", f"{two.files} files, each with the hash of its record"
            yield "Odoo", "answered, with cron and mail off and no way out"

    def note(self) -> str:
        """In Markdown; counts, hashes and our own words only."""
        rows = "\n".join(f"- {what}: {how}" for what, how in self.lines())
        result = "It would come back." if self.well else "It would not come back whole."
        return f"# Restore drill\n\n{utc(self.at)}: {result} {self.last_line()}\n\n{rows}\n"
