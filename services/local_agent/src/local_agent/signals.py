"""Signals: Cloud asks to take back a draft that no longer holds; Local, who owns Pending_Approval, does it."""

from __future__ import annotations

import re

import structlog

from vault_protocol.errors import MalformedNote, NoSuchTask, StaleRevision
from vault_protocol.task import Stage
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

_WITHDRAW = re.compile(r"Signals/withdraw-([a-z2-7]{16})-([1-9][0-9]{0,5})\.json")


def apply_signals(vault: Vault) -> int:
    """Apply and clear every signal; how many drafts went back. One that no longer fits is only cleared."""
    journal = vault.journal
    if journal.head is None:
        return 0
    withdrawn = 0
    for path, _ in tuple(journal.store.paths(journal.head, "Signals")):
        found = _WITHDRAW.fullmatch(path)
        try:
            if found is None:
                raise NoSuchTask(path)
            task = vault.get(found[1])
            if task.stage is not Stage.PENDING_APPROVAL or task.revision != int(found[2]):
                raise StaleRevision(task.id, int(found[2]), task.revision)
            vault.send_back(task, remark="", also=Also(edits={path: None}))
            withdrawn += 1
            log.info("draft.withdrawn", task=task.id, revision=task.revision)
        except (NoSuchTask, MalformedNote, StaleRevision):
            vault.write("clear", "signal", {path: None})
    return withdrawn
