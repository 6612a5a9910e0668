"""Receipts in the audit log: the highest ledger number this executor has published."""

from __future__ import annotations

import structlog

from local_agent.effects import Ledger
from local_agent.home import LOCAL
from vault_protocol import audit
from vault_protocol.journal import Journal

log = structlog.get_logger()


def stop_if_old(ledger: Ledger, journal: Journal, executor: str) -> None:
    """Pause effects when the vault holds a receipt that this ledger does not know: it is an old copy. Closes it."""
    try:
        published, known = last_receipt(journal, executor), ledger.last_sequence()
        if published > known and not ledger.paused():
            ledger.pause(f"the vault has receipt {published}, this ledger ends at {known}: an old copy")
            log.error("ledger.behind", published=published, ledger=known)
    finally:
        ledger.close()


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
