"""Pausing and letting go on, and the dry run: the switches that hold every effect, whoever turns them."""

from __future__ import annotations

from contextlib import closing

from local_agent.assemble import Local
from local_agent.effects import Ledger
from local_agent.hold import CHOICES, hold_effects
from local_agent.home import LOCAL
from local_agent.setup import config
from local_agent.taking_back import publish_when_possible
from vault_protocol.audit import Record
from vault_protocol.errors import HubRewritten, HubUnreachable, UntrustedHead, VaultError


def pause(local: Local, why: str) -> str | None:
    """Stop every effect at once; why they are paused now."""
    with closing(Ledger(local.home.ledger)) as ledger:
        ledger.pause(why)
        return ledger.paused()


def resume(local: Local) -> bool:
    """Let effects go on; whether they were paused. Raises VaultError while the hub is not what it was."""
    try:
        local.vault.refresh()
    except HubRewritten as error:
        hold_effects(local.home, error)
        raise VaultError(f"{error}. Effects stay paused; you can: {'; '.join(CHOICES)}") from None
    except (HubUnreachable, UntrustedHead):
        pass
    with closing(Ledger(local.home.ledger)) as ledger:
        was = ledger.paused()
        ledger.resume()
    return was is not None


def set_dry_run(local: Local, on: bool) -> None:
    """With dry run on, everything is checked and nothing is sent."""
    config.set_dry_run(local.home.config, on)


def record(local: Local, act: str) -> str:
    """An audit record, as soon as the hub answers; the switch itself needs no hub. What the owner has to know."""
    made = Record.of(
        act, actor=LOCAL, target="effects", at=local.clock.now(), parameters={}, approved_by=local.settings.owner,
        result="done",
    )  # fmt: skip
    try:
        return publish_when_possible(local, made)
    except UntrustedHead:
        return "The hub's head is not trusted: this is done, but it is not in the audit log."
