"""The devices that may see the page. Each has a cookie of its own, of which only the hash is kept."""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from vault_protocol.canonical import moment, sha256, utc
from vault_protocol.clock import Clock
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private
from vault_protocol.plain import one_line

MOST = 20
"""Devices at a time; whoever pairs more has lost count."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """`door` is the first word of its addresses. Browsers give a cookie to every port of a host, but only below its
    path: a program on another port, which does not know the door, is never told the cookie."""

    id: str
    name: str
    door: str
    token_sha256: str
    paired: str
    expires: str


class Devices:
    """Kept in one private file. Safe for several threads; one process at a time owns it."""

    def __init__(self, path: Path, clock: Clock, lifetime: timedelta) -> None:
        self._path, self._clock, self._lifetime = path, clock, lifetime
        self._guard = threading.Lock()
        self._known = {device.id: device for device in _read(path)}

    def pair(self, name: str) -> tuple[Device, str]:
        """A new device and its cookie. Raises VaultError when there are too many."""
        token, now = secrets.token_urlsafe(32), self._clock.now()
        device = Device(
            id=secrets.token_hex(4), name=one_line(name, 40) or "a browser", door=secrets.token_urlsafe(16),
            token_sha256=sha256(token.encode("ascii")), paired=utc(now), expires=utc(now + self._lifetime),
        )  # fmt: skip
        with self._guard:
            kept = {id_: one for id_, one in self._known.items() if moment(one.expires) > now}
            if len(kept) >= MOST:
                raise VaultError(f"{MOST} devices are paired; revoke one first (`countersign page --revoke ID`)")
            self._write({**kept, device.id: device})
        return device, token

    def known(self, door: str, token: str) -> Device | None:
        """The device with this door and cookie, while its time lasts."""
        wanted, now = sha256(token.encode("utf-8")), self._clock.now()
        with self._guard:
            found = [one for one in self._known.values() if hmac.compare_digest(one.door.encode(), door.encode())]
        for device in found:
            if hmac.compare_digest(device.token_sha256, wanted) and moment(device.expires) > now:
                return device
        return None

    def revoke(self, id_: str) -> Device:
        """From the next request on it is a stranger. Raises VaultError for one that is not there."""
        with self._guard:
            device = self._known.get(id_)
            if device is None:
                raise VaultError(f"no device {one_line(id_, 20)} is paired; `countersign page --devices` lists them")
            self._write({key: one for key, one in self._known.items() if key != id_})
        return device

    def all(self) -> tuple[Device, ...]:
        with self._guard:
            return tuple(sorted(self._known.values(), key=lambda device: device.paired))

    def _write(self, devices: dict[str, Device]) -> None:
        rows = [asdict(device) for device in devices.values()]
        write_private(self._path, json.dumps(rows, indent=1).encode("utf-8"))
        self._known = devices


def _read(path: Path) -> list[Device]:
    """A file that does not hold pairs nobody."""
    try:
        return [Device(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []
