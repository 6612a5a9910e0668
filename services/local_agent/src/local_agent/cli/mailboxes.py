"""What Cloud says it opens each mailbox with: words of its own, shown as such."""

from __future__ import annotations

from local_agent.assemble import Local
from vault_protocol import updates

HARMLESS = frozenset({"reads-only", "own-inbox"})
MEANING = {
    "reads-only": "Gmail, by a grant that only reads",
    "own-inbox": "an inbox of its own that your mail is forwarded to",
    "held-by-the-way-out": "an IMAP password that could send; the way out of its machine leads to no port for that",
    "could-send": "an IMAP password that could send, and nothing holds it",
}


def credentials(local: Local) -> dict[str, str]:
    """Mailbox → kind of credential, of every cloud agent."""
    read = local.vault.journal.read
    found: dict[str, str] = {}
    for agent in local.home.cloud_agents(local.settings.vault):
        found |= updates.credentials(read(updates.mailboxes_path(agent)))
    return dict(sorted(found.items()))


def meaning(kind: str) -> tuple[str, str]:
    """What it means, and a style for it."""
    return MEANING.get(kind, kind), "" if kind in HARMLESS else "yellow"
