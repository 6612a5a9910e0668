"""What a doctor says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WHAT_TO_DO: Mapping[str, str] = {
    "I1": "find the commit in `git log`, then put the hub back to the last good one (docs/runbook.md)",
    "I2": "two agents may have worked on it: compare their drafts before you decide",
    "I3": "trust nothing from here on: change its key, put the hub back to the last good commit (docs/runbook.md)",
    "I5": "look in the outgoing mailbox and in the books what was done, and who held the approval key then",
    "I6": "compare Approvals/, Logs/ and the ledger (`countersign log`) for this task",
    "I7": "repair the note, or move it to Quarantine",
    "I8": "let Local write it again, and find out how another came to write it",
    "I9": "change that secret now; the history keeps it (docs/runbook.md)",
    "I11": "restore the repository from the last backup",
}


@dataclass(frozen=True)
class Finding:
    """An invariant that does not hold, and what a person does about it. `path`: a note, a commit or a repository."""

    invariant: str
    path: str
    what: str
    what_to_do: str


def finding(invariant: str, path: str, what: str) -> Finding:
    return Finding(invariant, path, what, WHAT_TO_DO[invariant])
