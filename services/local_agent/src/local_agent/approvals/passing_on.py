"""Passing a mail on, from the page: a wish of the owner's, which becomes a draft."""

from __future__ import annotations

from starlette.responses import Response

from local_agent.approvals.answering import Ask, status_of
from local_agent.approvals.deciding import shown
from local_agent.approvals.waiting import alone
from local_agent.forwards import LONGEST_NOTE, Forwards
from local_agent.forwards import ask as wish
from local_agent.own_text import as_typed
from vault_protocol.errors import HubUnreachable, NoSuchTask, VaultError


def forward(ask: Ask) -> Response:
    """The addresses as a browser gives them: parted by commas."""
    note = ask.text("note", LONGEST_NOTE + 1)
    with ask.page.vault() as (local, _):
        try:
            found = shown(ask, local)
            task = wish(
                local.vault, Forwards(ask.page.home.forwards), found.task,
                to=[one for one in ask.text("to").split(",") if one.strip()],
                note=as_typed(note) if note.strip() else "", secret=ask.page.home.secret_bytes(),
            )  # fmt: skip
        except (HubUnreachable, NoSuchTask):
            raise
        except VaultError as error:
            return alone(ask, local, status=status_of(error), says=str(error))
    ask.page.poke()
    return ask.go(f"task/{task.id}")
