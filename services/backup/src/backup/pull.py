"""The second copy: fetched into a repository of one's own, under another key, where the VM cannot reach."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from backup import names
from backup.errors import BadSettings
from backup.messages import newest
from backup.restic import Restic
from backup.settings import Settings


def pull(settings: Settings, here: Restic) -> bool:
    """Fetch what is new, and hold every file against its name. Raises ResticFailed, Damaged. As `names.check`."""
    if settings.copy_of is None:
        raise BadSettings("copy_of is missing: it says where the snapshots are fetched from")
    here.init()
    here.copy_from(settings.copy_of)
    return names.check(here.repository, timeout=settings.timeout_seconds)


def ages(here: Restic, now: datetime) -> Mapping[str, timedelta]:
    """How old the newest snapshot of each kind is."""
    found = here.snapshots()
    latest = {kind: newest(found, kind) for kind in {one.kind for one in found}}
    return {kind: now - one.time for kind, one in sorted(latest.items()) if one is not None}
