"""Push tokens: made from a secret and the monitor's name, so that a job knows its address before Kuma has started."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path

from vault_protocol.files import write_private

LENGTH = 32
"""Characters of hex: 128 bits, what Kuma itself takes for one is shorter or as long."""


def token(secret: bytes, monitor: str) -> str:
    return hmac.new(secret, b"countersign push monitor\0" + monitor.encode(), hashlib.sha256).hexdigest()[:LENGTH]


def write(folder: Path, base: str, secret: bytes, monitors: Iterable[str]) -> tuple[Path, ...]:
    """The address of each push monitor into `folder/NAME`, private, for the job that calls it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = []
    for monitor in monitors:
        file = folder / monitor
        write_private(file, f"{base.rstrip('/')}/api/push/{token(secret, monitor)}\n".encode())
        files.append(file)
    return tuple(files)
