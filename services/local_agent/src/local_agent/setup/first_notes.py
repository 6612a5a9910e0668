"""What a new vault begins with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib import resources

from local_agent import dashboard
from vault_protocol import layout
from vault_protocol.canonical import utc
from vault_protocol.hub import Edits
from vault_protocol.plain import one_line
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AgentId, Role

WELCOME = "Welcome.md"
SCHEDULES = ("daily-digest", "weekly-briefing", "social-week", "reminders", "restore-drill", "key-rotation")
"""What Cloud does by the clock in a new vault: a note each below Schedules/, for the owner to change."""


def first_notes(owner: str, now: datetime, zone: str) -> Edits:
    """The owner's notes, ready to be filled in, and an empty dashboard. `zone`: an IANA name, which schedules and
    working hours go by."""
    words = {
        "@@OWNER@@": one_line(owner),
        "@@ZONE@@": zone,
        "@@TODAY@@": f"{now:%Y-%m-%d}",
        "@@DUE_SOON@@": f"{now + timedelta(days=30):%Y-%m-%d}",
        "@@DUE_LATER@@": f"{now + timedelta(days=75):%Y-%m-%d}",
    }
    notes = {name: _note(name, words) for name in (layout.HANDBOOK, layout.GOALS, WELCOME)}
    notes |= {f"Schedules/{name}.md": _note(f"schedules/{name}.md", words) for name in SCHEDULES}
    notes["Calendar/example.md"] = _note("calendar-example.md", words)
    return {layout.DASHBOARD: dashboard.render({}, {}, {}).encode("utf-8"), **notes}


def vault_card(
    vault: str, pinned: Mapping[AgentId, tuple[Role, PublicKey]], approval_key: PublicKey, created: datetime
) -> bytes:
    """Vault.json: for people who want to compare keys. No agent trusts it."""
    card = {
        "vault": vault,
        "created": utc(created),
        "agents": {name: {"role": role.value, "key": key.line(name)} for name, (role, key) in sorted(pinned.items())},
        "approval_key": approval_key.line("approval"),
    }
    return (json.dumps(card, indent=2) + "\n").encode("ascii")


def _note(name: str, words: Mapping[str, str]) -> bytes:
    text = (resources.files(__package__) / "notes" / name).read_text(encoding="utf-8")
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text.encode("utf-8")
