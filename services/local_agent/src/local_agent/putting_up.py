"""What this machine drafted by itself goes before the owner; what a rule refuses of it becomes a question."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from vault_protocol.errors import ClaimLost, Refused
from vault_protocol.note import Note
from vault_protocol.task import Task
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()


def put_up(
    vault: Vault, held: Task, note: Note, also: Callable[[Note], Also], *, instead: Callable[[str], Note]
) -> bool:  # fmt: skip
    """Whether it waits for the owner now; False when somebody else has the task. `instead` makes the question from
    a reason in our words, of nothing that could be refused again: a mail decides what stands in `note`. `also` is what
    is told of the one that goes up.
    """
    try:
        try:
            vault.submit(held, note, also(note))
        except Refused as error:
            log.warning("draft.refused", task=held.id, rule=error.rule)
            why = _WHY.get(error.rule, f"the rule {error.rule!r} keeps it out of the vault")
            question = instead(why)
            vault.submit(held, question, also(question))
    except ClaimLost:
        return False
    return True


_WHY = {
    "secret": "it holds what looks like a secret, which must not lie in the vault: do this one by hand",
    "note": "it is too long for a note of the vault: do this one by hand",
}
