"""The sources that the settings name."""

from __future__ import annotations

from contextlib import suppress

from backup.books_source import KIND as BOOKS
from backup.books_source import BooksSource
from backup.errors import BadSettings
from backup.folder_source import FolderSource
from backup.hub_source import KIND as VAULT
from backup.hub_source import HubSource
from backup.settings import Settings, line_of
from backup.work import Source
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
    """What no folder may hold; raises BadSettings for one of secret_files that does not read."""
    values = [line_of(file) for file in settings.secret_files]
    with suppress(BadSettings):  # on a machine that only pulls
        values.append(line_of(settings.repository.password_file))
    return OwnSecrets.of(values)
