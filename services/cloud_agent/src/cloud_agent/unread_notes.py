"""What of the owner's goals and objectives begins nothing, told in a file of its own: by line or name, and reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cloud_agent.plans.objectives import FOLDER, Objectives
from cloud_agent.posts.proposing import Goals
from vault_protocol import plain, updates
from vault_protocol.clock import Clock
from vault_protocol.task import AgentId
from vault_protocol.updates import Update
from vault_protocol.vault import Vault

MOST = 20
"""Lines of each kind."""


def report(vault: Vault, agent: AgentId, clock: Clock, goals: Goals, objectives: Objectives) -> None:
    """Written when it is news; what holds on keeps its time."""
    where, now = updates.notes_path(agent), clock.now()
    before = updates.parse(vault.journal.read(where) or b"")
    known = {(line.event, line.facts): line for line in before}
    lines = [
        known.get((event, facts), Update.of(event, now, **dict(facts))) for event, facts in _told(goals, objectives)
    ]
    if tuple(lines) != before:
        vault.write("notes", agent, {where: updates.add(None, *lines) if lines else b"\n"})


def _told(goals: Goals, objectives: Objectives) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    for one in goals.posts.unread[:MOST]:
        yield "goals-unread", (("line", str(one.line)), ("why", one.why.value))
    for place in sorted(goals.used_up, key=lambda place: (place.network, place.account)):
        yield "goals-used-up", (("network", place.network), ("account", place.account))
    for path, why in objectives.unread[:MOST]:
        yield "objective-unread", (("name", _name(path)), ("why", why.value))


def _name(path: str) -> str:
    stem = path.removeprefix(f"{FOLDER}/").removesuffix(".md")
    return plain.slug(stem) or hashlib.sha256(stem.encode("utf-8", "surrogatepass")).hexdigest()[:12]
