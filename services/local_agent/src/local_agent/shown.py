"""The commit that the folder shows: the head, or one of our own on it while something is wrong that no vault says."""

from __future__ import annotations

from local_agent import dashboard
from local_agent.assemble import Local
from local_agent.home import LOCAL
from vault_protocol import layout
from vault_protocol.hub import CommitId


class Shown:
    """Builds the commit with the alarms in its dashboard. It is never published."""

    def __init__(self, local: Local) -> None:
        self._local = local
        self._made: tuple[CommitId, tuple[str, ...], CommitId] | None = None

    def at(self, head: CommitId, alarms: tuple[str, ...]) -> CommitId:
        if not alarms:
            return head
        if self._made is None or self._made[:2] != (head, alarms):
            local = self._local
            note = dashboard.of_vault(local.vault, alarms).encode("utf-8")
            when = local.store.when(head)
            made = local.store.commit(head, {layout.DASHBOARD: note}, message="shown", author=LOCAL, at=when)
            self._made = head, alarms, made
        return self._made[2]
