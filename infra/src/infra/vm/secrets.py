"""Secrets into files that lie in memory: fetched at each start of the machine, gone with it."""

from __future__ import annotations

import json
from pathlib import Path

from infra.vm.cloud import Cloud
from infra.vm.orders import Orders
from infra.vm.programs import Failed, run, whole


def mount(place: Path) -> None:
    """A file system in memory, that nothing can be started from."""
    place.mkdir(parents=True, exist_ok=True)
    if not place.is_mount():
        run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0755,nosuid,nodev,noexec", "countersign-secrets", str(place)])


ORDERED = ".ordered"
"""Which files here were ordered: what the stack makes itself stays, whatever is ordered."""


def fetch(orders: Orders, cloud: Cloud, place: Path) -> bool:
    """Every secret that is ordered, and none that was and is no longer; whether one of them is new, changed or gone.

    The folder above is closed to others.
    """
    changed = False
    for wanted in orders.secrets:
        value = cloud.secret(wanted)
        if not value:
            raise Failed(f"the secret {wanted.file} is empty")
        file = place / wanted.file
        if not file.exists() or file.read_bytes() != value:
            file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            whole(file, value, 0o444)
            changed = True
    record, names = place / ORDERED, {wanted.file for wanted in orders.secrets}
    before: set[str] = set(json.loads(record.read_text(encoding="utf-8"))) if record.exists() else set()
    for withdrawn in before - names:
        (place / withdrawn).unlink(missing_ok=True)
        changed = True
    if before != names:
        whole(record, json.dumps(sorted(names)).encode(), 0o600)
    return changed
