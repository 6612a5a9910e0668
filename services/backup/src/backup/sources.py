"""The sources that the settings name."""

from __future__ import annotations

from contextlib import suppress

from backup.books_source import KIND as BOOKS
from backup.books_source import BooksSource
from backup.folder_source import FolderSource
from backup.hub_source import KIND as VAULT
from backup.hub_source import HubSource
from backup.settings import Settings
from backup.work import Source
from vault_protocol.errors import VaultError
from vault_protocol.files import secret_line
from vault_protocol.scan import OwnSecrets


def of(settings: Settings) -> dict[str, Source]:
    """By kind, which is also the job's name and the snapshots' tag."""
    found: dict[str, Source] = {}
    if settings.vault is not None:
        found[VAULT] = HubSource(settings.vault)
    if settings.books is not None:
        found[BOOKS] = BooksSource(settings.books, settings.state_dir / "scratch", settings.timeout_seconds)
    if settings.folders:
        secrets = own_secrets(settings)
        found |= {folder.name: FolderSource(folder, secrets) for folder in settings.folders}
    return found


def own_secrets(settings: Settings) -> OwnSecrets:
    """What no folder may hold; raises VaultError for one of secret_files that does not read."""
    values = [secret_line(file) for file in settings.secret_files]
    with suppress(VaultError):  # on a machine that only pulls
        values.append(secret_line(settings.repository.password_file))
    return OwnSecrets.of(values)
