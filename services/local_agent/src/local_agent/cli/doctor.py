"""`doctor`: the invariants, checked on the real vault and its objects."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from local_agent.assemble import Local
from local_agent.cli import words
from local_agent.cli.session import HomeOption, JsonOption, Session
from local_agent.setup.hubs import local_path
from vault_protocol.doctor import Finding, examine, fsck
from vault_protocol.errors import HubUnreachable, VaultError
from vault_protocol.hub import CommitId


def doctor(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Check every commit, task and approval of the vault. Ends with 1 when something is wrong."""
    session = Session(home, json_)
    local = session.local
    head = _head(session, local)
    found = list(examine(
        local.store, head, trust=local.home.trust(local.settings.vault), approval_key=local.home.approval_public_key()
    ))  # fmt: skip
    found += fsck(local.home.clone)
    hub = local_path(local.settings.hub)
    if hub is not None and hub.is_dir():
        found += fsck(hub)
    commits, tasks = len(local.store.history(None, head)), len(local.vault.journal.where)
    session.answer(
        {
            "findings": [asdict(one) for one in found],
            "commits": commits, "tasks": tasks, "head": head,
        }
    )  # fmt: skip
    if found:
        session.show(_table(found))
        raise VaultError(f"{len(found)} findings in {commits} commits and {tasks} tasks")
    session.say(f"All is well: {commits} commits and {tasks} tasks checked.", "green")


def _head(session: Session, local: Local) -> CommitId:
    """What the hub has, trusted or not: the doctor says what is wrong with it. The last known one when it is away."""
    session.look()
    try:
        head = local.vault.journal.hub.refresh()
    except HubUnreachable:
        head = local.vault.journal.head
    if head is None:
        raise VaultError("the hub is empty; run `countersign init` again")
    return head


def _table(found: list[Finding]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Invariant", no_wrap=True)
    table.add_column("Where", overflow="fold")
    table.add_column("What", overflow="fold")
    table.add_column("What to do", overflow="fold")
    for one in found:
        table.add_row(
            Text(one.invariant, style="bold red"), Text(words.exactly(one.path)), Text(words.exactly(one.what)),
            Text(one.what_to_do, style="dim"),
        )  # fmt: skip
    return table
