"""Which credentials are old enough to be changed: told once a month, never done by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from local_agent.home import Home, Settings
from vault_protocol.canonical import moment, utc
from vault_protocol.files import write_private
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

MONTH = timedelta(days=30)
BETWEEN = timedelta(hours=1)
"""Between two looks at the ages."""


@dataclass(frozen=True)
class Old:
    """A credential by its name, or that of its file, and since when it is there."""

    name: str
    since: datetime


def old_secrets(home: Home, settings: Settings, now: datetime) -> tuple[Old, ...]:
    """Those that have been there for `rotate_days`; none when that is 0."""
    if not settings.rotate_days:
        return ()
    found = [Old(one.name, one.since) for one in home.credentials.list()]
    files = [
        (f"mail {one.name}", one.password_file) for one in settings.accounts if one.way == "smtp"
    ] + [(f"books {one.name}", one.key_file) for one in settings.books] + [
        (f"payments {one.name}", one.token_file) for one in settings.payments
    ] + [(f"social {one.name}", one.secret_file) for one in settings.social] + [
        (f"whatsapp {one.name}", one.secret_file) for one in settings.whatsapp
    ] + [(f"whatsapp {one.name}: webhook", one.webhook_file) for one in settings.whatsapp
    ]  # fmt: skip
    for name, file in files:
        if file is not None and file.exists():
            found.append(Old(name, datetime.fromtimestamp(int(file.stat().st_mtime), UTC)))
    return tuple(one for one in found if now - one.since >= timedelta(days=settings.rotate_days))


class Reminder:
    """A line on the dashboard, at most once a month, while something is old."""

    def __init__(self, home: Home, settings: Settings, vault: Vault) -> None:
        self._home, self._settings, self._vault = home, settings, vault
        self._due: datetime | None = None

    def step(self) -> bool:
        """Whether it was told now."""
        now = self._vault.journal.clock.now()
        if self._due is not None and now < self._due:
            return False
        self._due = now + BETWEEN
        told = self._home.reminded
        last = moment(told.read_text(encoding="ascii").strip()) if told.exists() else None
        if last is not None and now - last < MONTH:
            return False
        old = old_secrets(self._home, self._settings, now)
        if old:
            update = Update.of("secrets_are_old", now, count=len(old))
            self._vault.write("tell", "secrets are old", {}, Also(updates=[update]))
            write_private(told, f"{utc(now)}\n".encode("ascii"))
        return bool(old)
