"""Which machine may execute. A restored or second machine mints its own id, and older approvals are void there."""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path

from vault_protocol.files import write_private

MACHINE_ID = Path("/etc/machine-id")


def executor_id(path: Path, machine_id: Path = MACHINE_ID) -> str:
    """The id of this executor on this machine; a new one when the file is absent or was made elsewhere."""
    machine = _fingerprint(path, machine_id)
    if path.exists():
        saved = json.loads(path.read_text(encoding="utf-8"))
        if saved.get("machine") == machine:
            return str(saved["executor"])
    minted = "exec-" + secrets.token_hex(8)
    write_private(path, json.dumps({"executor": minted, "machine": machine}).encode("utf-8"))
    return minted


def place_of(path: Path) -> str:
    """What a copy of this home does not have: the executor here, and which file on which disk says so."""
    status = path.stat()
    return f"{executor_id(path)} {status.st_ino} {status.st_ctime_ns}"


def _fingerprint(path: Path, machine_id: Path) -> str:
    """Machine and place: a copy on another machine, or beside this one, is another executor."""
    try:
        machine = machine_id.read_text(encoding="utf-8").strip()
    except OSError:
        machine = "no machine id"
    return hashlib.sha256(f"{machine}\n{path.parent.parent.resolve()}".encode()).hexdigest()
