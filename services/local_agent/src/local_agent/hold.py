"""A hub that was put back or rewritten stops every effect, also over restarts, until the owner has decided."""

from __future__ import annotations

from contextlib import closing

import structlog

from local_agent.effects import Ledger
from local_agent.home import Home
from vault_protocol.errors import HubRewritten, UntrustedHead

log = structlog.get_logger()

CHOICES = (
    "wait until the hub is back where it was",
    "`countersign give-back`: put the commits back that the hub lost",
    "`countersign re-root --why TEXT`: go on from the last good head here, under your signature",
)
"""What the owner can decide when the head is not to be trusted; after the first two `countersign resume`."""


def hold_effects(home: Home, error: UntrustedHead) -> bool:
    """Pause effects when the hub's past is not what it was; whether they are paused by this. A commit that only breaks
    a rule stops nothing that was approved before it."""
    if not isinstance(error, HubRewritten):
        return False
    with closing(Ledger(home.ledger)) as ledger:
        if ledger.paused():
            return False
        ledger.pause(f"the hub was put back or rewritten: {error.reason}"[:400])
    log.error("hub.rewritten", commit=error.commit[:12], reason=error.reason)
    return True
