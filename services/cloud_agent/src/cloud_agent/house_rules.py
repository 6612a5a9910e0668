"""What of the owner's handbook is not understood, told once a version: by line and reason, never by text."""

from __future__ import annotations

import hashlib

from drafting import handbook
from drafting.handbook import Unread, Unreadable
from vault_protocol import layout, updates
from vault_protocol.clock import Clock
from vault_protocol.task import AgentId
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

READ, UNREAD = "handbook-read", "handbook-unread"
MOST = 20
"""Lines that are told of one version."""


def version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _watched(vault: Vault) -> frozenset[str]:
    """The mailboxes of every agent, as they told."""
    head = vault.journal.head
    files = vault.journal.store.paths(head, "Updates") if head else ()
    return frozenset(
        name
        for path, _ in files
        if path.endswith("/mailboxes.md")
        for name in updates.credentials(vault.journal.read(path))
    )


def report(vault: Vault, agent: AgentId, clock: Clock) -> None:
    """Nothing is written for a version that was told, in this life of the agent or an earlier one."""
    content = vault.journal.read(layout.HANDBOOK)
    if content is None:
        return
    rules = handbook.read(content.decode("utf-8", "replace"))
    watched = _watched(vault) if rules.boxes else frozenset[str]()
    this = version(content + "".join(sorted(watched)).encode())
    told = updates.parse(vault.journal.read(updates.path(agent)) or b"")
    last = next((update for update in reversed(told) if update.event == READ), None)
    nobody = [Unread(line, Unreadable.MAILBOX) for line, box in rules.boxes if box not in watched]
    unread = sorted({*rules.unread, *nobody}, key=lambda one: (one.line, one.why))
    if last is None and not unread:
        return
    if last is not None and dict(last.facts).get("version") == this:
        return
    now = clock.now()
    lines = [Update.of(UNREAD, now, version=this, line=one.line, why=one.why.value) for one in unread[:MOST]]
    vault.write(
        "update", "handbook", {}, Also(updates=[*lines, Update.of(READ, now, version=this, unread=len(unread))])
    )
