"""Receipts in the audit log: the highest ledger number this executor has published."""

from __future__ import annotations

from local_agent.home import LOCAL
from vault_protocol import audit
from vault_protocol.journal import Journal


def last_receipt(journal: Journal, executor: str) -> int:
    """The ledger sequence of the newest published receipt of this executor, 0 when there is none."""
    if journal.head is None:
        return 0
    for path, _ in reversed(list(journal.store.paths(journal.head, f"Logs/{LOCAL}"))):
        lines = (journal.read(path) or b"").decode("utf-8").splitlines()
        for line in reversed(lines):
            record = audit.parse(line)
            sequence = record.parameters.get("ledger_sequence")
            if record.parameters.get("executor") == executor and isinstance(sequence, int):
                return sequence
    return 0
