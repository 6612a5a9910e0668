"""The credentials that act, by name: in the OS keyring where there is one, else in a file that is encrypted.

The file says in the clear what there is and since when, never what it is. Nothing here goes into argv, environment,
logs or the vault; `assemble.own_secrets` holds back each of them from every commit.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from vault_protocol.canonical import moment, utc
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}(?:\.[a-z0-9][a-z0-9-]{0,39})?")
LONGEST = 16 * 1024

Place = Literal["keyring", "file"]


class NoCredential(VaultError):
    """Nothing is kept under this name, or it cannot be opened; the message says which and what to do."""


@dataclass(frozen=True)
class Kept:
    """What anybody may know of a credential."""

    name: str
    where: Place
    since: datetime


class Credentials:
    """Safe for several processes: a change is one replaced file under a lock."""

    def __init__(self, path: Path, key: Path, *, keyring: bool | None = None) -> None:
        """`path` is the file, `key` its key (32 bytes, 0600). `keyring` None: where this machine has one."""
        self._path, self._key, self._keyring = path, key, keyring

    def get(self, name: str) -> str:
        """Raises NoCredential."""
        entry = self._read().get(name)
        if entry is None:
            raise NoCredential(f"there is no secret {name!r}; `countersign secrets set {name}` keeps one")
        if entry["where"] == "keyring":
            return self._from_keyring(name)
        return self._opened(name, entry)

    def set(self, name: str, value: str, *, now: datetime) -> Kept:
        """Keep it, in the place of what was there. Raises VaultError for what is no name or no secret."""
        if not NAME.fullmatch(name):
            raise VaultError(f"{name!r} is no name of a secret: KIND.ACCOUNT in small letters, such as wise.main")
        if not value.strip() or len(value) > LONGEST:
            raise VaultError("there is no secret, or it is too long to be one")
        where: Place = "keyring" if self._has_keyring() else "file"
        with self._changing() as entries:
            since = utc(now)
            if where == "keyring":
                from local_agent import os_keyring  # loads slowly

                os_keyring.keep(_entry(self._path, name), value)
                entries[name] = {"where": where, "since": since}
            else:
                entries[name] = self._closed(self._file_key(), name, since, value)
        return Kept(name, where, moment(since))

    def remove(self, name: str) -> None:
        """Raises NoCredential, KeyringUnavailable."""
        with self._changing() as entries:
            gone = entries.pop(name, None)
            if gone is None:
                raise NoCredential(f"there is no secret {name!r}")
            if gone["where"] == "keyring":
                from local_agent import os_keyring

                entry = _entry(self._path, name)
                os_keyring.forget(entry)
                if os_keyring.find(entry) is not None:
                    raise os_keyring.KeyringUnavailable(f"the keyring of this machine does not let go of {name!r}")

    def list(self) -> tuple[Kept, ...]:
        """By name, without a secret being opened."""
        return tuple(
            Kept(name, entry["where"], moment(entry["since"])) for name, entry in sorted(self._read().items())
        )  # fmt: skip

    def new_key(self) -> int:
        """Encrypt the file anew under another key; how many secrets it holds. A kill leaves one key for all."""
        with self._changing() as entries:
            inside = {name: entry for name, entry in entries.items() if entry["where"] == "file"}
            values = {name: self._opened(name, entry) for name, entry in inside.items()}
            key = secrets.token_bytes(32)
            write_private(self._next_key, key)
            for name, value in values.items():
                entries[name] = self._closed(key, name, inside[name]["since"], value)
            write_private(self._path, _content(entries))
            self._next_key.replace(self._key)
        return len(values)

    def values(self) -> Iterator[str]:
        """Every secret that can be opened now: so that none of them leaves this machine."""
        for kept in self.list():
            try:
                yield self.get(kept.name)
            except VaultError:
                continue

    def _has_keyring(self) -> bool:
        if self._keyring is None:
            from local_agent import os_keyring

            self._keyring = os_keyring.there_is_one()
        return self._keyring

    def _from_keyring(self, name: str) -> str:
        from local_agent import os_keyring

        found = os_keyring.find(_entry(self._path, name))
        if found is None:
            raise NoCredential(f"the OS keyring has lost {name!r}; `countersign secrets set {name}` keeps it again")
        return found

    def _closed(self, key: bytes, name: str, since: str, value: str) -> dict[str, str]:
        nonce = secrets.token_bytes(12)
        box = ChaCha20Poly1305(key).encrypt(nonce, value.encode("utf-8"), _about(name, since))
        return {"where": "file", "since": since, "box": b64encode(nonce + box).decode("ascii")}

    def _opened(self, name: str, entry: Mapping[str, str]) -> str:
        """With the key, or with the one that was about to take its place."""
        raw = b64decode(entry["box"])
        for file in (self._key, self._next_key):
            try:
                key = ChaCha20Poly1305(file.read_bytes())
                return key.decrypt(raw[:12], raw[12:], _about(name, entry["since"])).decode("utf-8")
            except (OSError, ValueError, InvalidTag):
                continue
        raise NoCredential(f"the secret {name!r} does not open with {self._key}; set it again")

    @property
    def _next_key(self) -> Path:
        return self._key.with_name(self._key.name + ".next")

    def _settle_key(self, entries: Mapping[str, Mapping[str, str]]) -> None:
        """After a kill in `new_key` everything is under the old key, or everything under the next."""
        if not self._next_key.exists():
            return
        only_next = Credentials(self._path, self._next_key)
        for name, entry in entries.items():
            if entry["where"] == "file":
                try:
                    only_next._opened(name, entry)
                except NoCredential:
                    break
                self._next_key.replace(self._key)
                return
        self._next_key.unlink()

    def _file_key(self) -> bytes:
        if not self._key.exists():
            write_private(self._key, secrets.token_bytes(32))
        return self._key.read_bytes()

    def _read(self) -> dict[str, Any]:
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))["secrets"]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NoCredential(f"{self._path} cannot be read ({type(error).__name__})") from None
        return dict(entries)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            entries = self._read()
            self._settle_key(entries)
            yield entries
            write_private(self._path, _content(entries))
        finally:
            os.close(lock)


def _content(entries: Mapping[str, Any]) -> bytes:
    return (json.dumps({"secrets": entries}, indent=1) + "\n").encode("ascii")


def _about(name: str, since: str) -> bytes:
    """What a box belongs to: moved to another name, it does not open."""
    return f"countersign secret v1\0{name}\0{since}".encode()


def _entry(path: Path, name: str) -> str:
    """One keyring serves several homes."""
    return f"secret {name} of {path.parent}"
