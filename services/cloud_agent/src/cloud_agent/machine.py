"""What the agent needs of its machine: key and secret, a folder to itself, its own secrets, and a log."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO, cast

import structlog

from cloud_agent.settings import Settings
from vault_protocol import disk, keys
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private
from vault_protocol.scan import OwnSecrets
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AGENT_ID


def make_home(home: Path, agent: str, owner_key: str | None = None) -> str:
    """Make the key and the secret that are not there yet; the line that `countersign init --pin` takes.

    `owner_key`: the owner's approval public key to pin, a line or a file.
    """
    if not AGENT_ID.fullmatch(agent):
        raise VaultError(f"{agent!r} is no name for an agent: a-z, 0-9 and hyphens, beginning with a letter")
    key_file, secret_file = home / "keys" / agent, home / "secret"
    try:
        if not key_file.exists():
            keys.save(keys.new(), key_file, comment=agent)
        if not secret_file.exists():
            write_private(secret_file, (secrets.token_hex(32) + "\n").encode("ascii"))
        if owner_key:
            _pin_owner(owner_file(home), owner_key)
    except OSError as error:
        raise VaultError(f"cannot make {home}: {os.strerror(error.errno or 0)}") from None
    return keys.load_public(key_file.with_name(f"{agent}.pub")).line(agent)


def owner_file(home: Path) -> Path:
    """Where `init` pins the owner's approval public key; the settings name it as `owner_key_file`."""
    return home / "keys" / "owner.pub"


def _pin_owner(file: Path, given: str) -> None:
    """Raises VaultError rather than change a pinned key."""
    try:
        key = PublicKey.parse(given) if " " in given.strip() else keys.load_public(Path(given).expanduser())
    except ValueError as error:
        raise VaultError(
            f"--owner-key: {error}; give the line of `countersign init`, or a file that holds it"
        ) from None
    if file.exists() and keys.load_public(file) != key:
        raise VaultError(f"{file} pins another key of the owner; a pinned key is never replaced")
    if not file.exists():
        write_private(file, (key.line("owner") + "\n").encode("ascii"))


def own_secrets(settings: Settings, secret: bytes) -> OwnSecrets:
    """Everything secret that this machine holds as text; a file that cannot be read now holds nothing."""
    return OwnSecrets.of([secret.hex(), *(value for _, value in _secret_texts(settings))])


def hand_over(settings: Settings, folder: Path) -> tuple[str, ...]:
    """Write every secret of this agent into the hub's folder of them, a file each; their names. Raises VaultError."""
    agent, found = settings.agent, {"secret": settings.secret().hex(), **dict(_secret_texts(settings))}
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, value in found.items():
            write_private(folder / f"{agent}.{name}", f"{value}\n".encode())
        kept = {f"{agent}.{name}" for name in found}
        for old in sorted(folder.glob(f"{agent}.*")):
            if old.name not in kept:
                old.unlink()  # what the agent holds no more is no secret of its own
    except OSError as error:
        raise VaultError(f"cannot write into {folder}: {os.strerror(error.errno or 0)}") from None
    return tuple(sorted(kept))


def _secret_texts(settings: Settings) -> Iterator[tuple[str, str]]:
    for mailbox in settings.mailboxes:
        with suppress(OSError, ValueError):
            yield from mailbox.secrets()
    files = []
    if settings.drafter.api_key_file is not None:
        files.append(("drafter", settings.drafter.api_key_file))
    if settings.hub_token_file is not None:
        files.append(("hub-token", settings.hub_token_file))
    if settings.books is not None:
        files.append(("books", settings.books.key_file))
    for name, file in files:
        try:
            yield name, file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            continue


def log_to_stderr(how: str) -> None:
    """One event a line, `json` or `key-value`. What libraries have to say is shown from warnings on."""
    last: structlog.types.Processor = structlog.processors.JSONRenderer()
    if how == "key-value":
        last = structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])
    time = structlog.processors.TimeStamper(fmt="iso", utc=True)
    structlog.configure(
        processors=[structlog.processors.add_log_level, time, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, disk.Stream("stderr"))),
    )
