"""The vault as the threads of one agent share it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from vault_protocol import layout
from vault_protocol.errors import HubUnreachable, VaultError
from vault_protocol.journal import Journal
from vault_protocol.task import TaskId
from vault_protocol.vault import LEASE, Vault


class PatientVault(Vault):
    """Does not claim tasks whose next try is not due."""

    def __init__(
        self, journal: Journal, *, waits: Callable[[TaskId], bool] = lambda task: False, lease: timedelta = LEASE
    ) -> None:
        super().__init__(journal, lease=lease)
        self._waits = waits

    def passes_over(self, task: TaskId) -> bool:
        return self._waits(task)


class NoVaultYet(HubUnreachable):
    """The hub holds no vault: `countersign init` on the owner's machine begins it. Until then there is only waiting."""


class WrongVault(VaultError):
    """The hub holds another vault than the settings name."""


class Desk:
    """Lends the vault to one thread at a time. Nothing slow is done while it is lent, but publishing."""

    def __init__(self, vault: Vault) -> None:
        self._vault, self._lock, self._begun = vault, threading.Lock(), False

    @contextmanager
    def vault(self) -> Iterator[Vault]:
        """Raises NoVaultYet, WrongVault, and what the hub raises on the first look."""
        with self._lock:
            if not self._begun:
                self._look()
                self._begun = True
            yield self._vault

    def _look(self) -> None:
        """Cloud begins no vault: that is the owner's to do, with the keys they pin."""
        journal = self._vault.journal
        journal.refresh()
        card, wanted = journal.read(layout.VAULT_CARD), journal.identity.vault
        if card is None:
            raise NoVaultYet("the hub holds no vault yet; run `countersign init` on the owner's machine")
        try:
            found = json.loads(card)["vault"]
        except (ValueError, KeyError, TypeError):
            raise WrongVault(f"the hub's {layout.VAULT_CARD} names no vault") from None
        if found != wanted:
            raise WrongVault(f"the hub holds the vault {found!r}, the settings name {wanted!r}; correct `vault`")
