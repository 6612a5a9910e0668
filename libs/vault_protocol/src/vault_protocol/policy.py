"""What one commit must satisfy, whoever asks: the hub before it swaps, a follower before it applies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import changeset, layout, notes, zones
from .approval import POLICY_VERSION
from .changeset import BadChangeset, Changeset, Trail
from .errors import MalformedNote, Refused
from .hub import Change
from .sshsig import PublicKey
from .task import AgentId, Role, TaskId
from .twins import Names

POLICIES = range(1, POLICY_VERSION + 1)
"""Versions of the rules that a commit may say it follows: ours and those before it."""


@dataclass(frozen=True)
class Trust:
    """The keys this side pinned when it was set up. Never read from the vault."""

    vault: str
    keys: Mapping[AgentId, tuple[Role, PublicKey]]


def judge(
    message: str, author: str, changes: Sequence[Change], *, trust: Trust, trails: Mapping[AgentId, Trail],
    before: zones.Read, after: zones.Read, where: Mapping[TaskId, str], names: Names,
) -> Changeset:  # fmt: skip
    """The changeset of a commit that may stand on its parent. Raises BadChangeset or Refused.

    `changes` is what it really changes; `before`, `after`, `where`, `names` as for `zones.judge`; `trails` is how far
    each agent had come in the parent.
    """
    found, role = signed(message, changes, trust=trust)
    trail = trails.get(found.agent, Trail())
    if (found.sequence, found.previous) != (trail.sequence + 1, trail.last):
        this = f"changeset {found.sequence} of {found.agent}"
        raise BadChangeset(f"{this} does not follow {trail.sequence}: one is missing or replayed", "sequence")
    if author != found.agent:
        raise BadChangeset(f"its author is {author!r}, it was signed by {found.agent}", "author")
    writer = zones.Writer(found.agent, role)
    zones.judge(writer, changes, before=before, after=after, where=where, names=names)
    zones.judge_words(writer, message, "the commit message")
    _judge_fence(found, changes, before)
    return found


def signed(message: str, changes: Sequence[Change], *, trust: Trust) -> tuple[Changeset, Role]:
    """The changeset that an agent whose key is pinned signed over these changes, and its role. Raises BadChangeset."""
    found = changeset.parse(message, vault=trust.vault, changes=changes)
    if found.agent not in trust.keys:
        raise BadChangeset(f"no key of {found.agent} is pinned here", "key")
    role, key = trust.keys[found.agent]
    if found.policy not in POLICIES:
        raise BadChangeset(f"it follows policy {found.policy}, known are {POLICIES.start} to {POLICIES[-1]}", "policy")
    found.verify(key)
    return found, role


def _judge_fence(found: Changeset, changes: Sequence[Change], before: zones.Read) -> None:
    """Who writes to a task in their hands names the attempt under which they hold it."""
    for change in changes:
        place = layout.place_of(change.path)
        if change.old is None or place is None or place.owner != found.agent:
            continue
        try:
            held = notes.read(change.path, before(change.path) or b"").attempt
        except MalformedNote:
            continue
        if found.attempt != held:
            raise Refused("attempt", change.path, f"written under attempt {found.attempt}, it is held under {held}")
