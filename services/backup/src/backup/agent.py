"""The agent by which backups speak in the vault: it says that it is alive, and how drills ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from backup.settings import Agent
from vault_protocol import keys, updates
from vault_protocol.checkpoint import Checkpoint
from vault_protocol.clock import Clock
from vault_protocol.connect import connect
from vault_protocol.files import secret_line
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.scan import OwnSecrets
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Role
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault


@contextmanager
def speaking(settings: Agent, state: Path, clock: Clock) -> Iterator[Reporter]:
    """Raises VaultError when the settings cannot be used."""
    store = GitStore(state / "vault.git")
    hub = connect(store, settings.hub, token_file=settings.hub_token_file, ca_file=settings.hub_ca_file)
    try:
        key = keys.load(settings.key_file)
        identity = Identity(AgentId(settings.name), Role.CLOUD, settings.vault, key)
        seal = Checkpoint(store.path / "followed.json", key.private_bytes_raw(), f"{settings.name} {state.resolve()}")
        own = OwnSecrets.of([secret_line(settings.hub_token_file)])
        owner = keys.load_public(settings.owner_key_file) if settings.owner_key_file else None
        vault = Vault(Journal(store, hub, identity, clock, secrets=own, checkpoint=seal, owner=owner))
        yield Reporter(vault, timedelta(seconds=settings.heartbeat_seconds))
    finally:
        hub.close()


class Reporter:
    """Words of enums, ids and counts only. Every method raises VaultError: a hub that is away is told later."""

    def __init__(self, vault: Vault, heartbeat: timedelta) -> None:
        self._vault, self._heartbeat = vault, heartbeat

    def alive(self) -> bool:
        """Say so when nothing was said for the heartbeat; whether it was said."""
        journal = self._vault.journal
        self._vault.refresh()
        now, me = journal.clock.now(), journal.identity.agent
        said = updates.last_word(*(journal.read(path) for path in updates.both_paths(me)))
        if said is not None and now - said < self._heartbeat:
            return False
        self._vault.write("alive", "still here", {updates.alive_path(me): updates.alive(now)})
        return True

    def report(self, event: str, facts: Mapping[str, str | int], note: str, at: datetime) -> str:
        """A line for the dashboard, and the whole as a note of its own; where that lies."""
        self._vault.refresh()
        path = f"Updates/{self._vault.journal.identity.agent}/{event}.md"
        line = Update.of(event, at, **facts)
        self._vault.write("report", event, {path: note.encode("utf-8")}, Also(updates=(line,)))
        return path
