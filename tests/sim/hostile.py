"""Commits that nobody may apply. Each is put on the hub, shown to Local, and taken off again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.sim import cast
from tests.sim.actors import trail_of
from tests.sim.breach import hold
from vault_protocol import changeset
from vault_protocol.changeset import Trail
from vault_protocol.errors import UntrustedHead
from vault_protocol.hub import Change, CommitId, Edits, blob_id
from vault_protocol.identity import Identity

if TYPE_CHECKING:
    from tests.sim.world import World


def forge(world: World) -> None:
    """Local must stay where it is, say so, and go on once the hub is itself again."""
    if world.hub.away or world.cut_off or world.local.busy or world.hub.head is None:
        return
    local = world.local
    local.vault.refresh()
    good, cloud = world.hub.head, world.clouds[0]
    cloud_trail = local.process.journal._follower.view.trails.get(cloud.identity.agent, Trail())
    kind = world.rng.choice(sorted(FORGERIES))
    edits, signer, trail = FORGERIES[kind](world, cloud_trail)
    world.hub.head = _commit(world, good, edits, signer, trail)
    try:
        local.vault.refresh()
        refused = False
    except UntrustedHead:
        refused = True
    seen, world.hub.head = local.vault.journal.head, good
    hold(refused and seen == good, "I3", f"Local applied a forged commit: {kind}")
    assert trail_of(local.process).sequence >= 0


def _commit(world: World, onto: CommitId, edits: Edits, signer: Identity, trail: Trail) -> CommitId:
    changes = [
        Change(path, world.store.blob_id(onto, path), blob_id(content) if content is not None else None)
        for path, content in edits.items()
    ]
    found = changeset.next_in(trail, vault=cast.VAULT, agent=signer.agent, verb="write", attempt=0, changes=changes)
    message, now = found.message("forged", signer.key), world.local.clock.now()
    return world.store.commit(onto, edits, message=message, author=signer.agent, at=now)


Forgery = Callable[["World", Trail], tuple[Edits, Identity, Trail]]


def _plan(world: World) -> Edits:
    return {f"Plans/email/plan-{world.rng.randrange(10**6)}.md": b"- [ ] wait\n"}


FORGERIES: dict[str, Forgery] = {
    "a stranger's key": lambda world, trail: (_plan(world), cast.STRANGER, trail),
    "a gap in the sequence": lambda world, trail: (
        _plan(world), cast.CLOUDS[0], replace(trail, sequence=trail.sequence + 1)
    ),
    "outside its zone": lambda world, trail: ({"Company_Handbook.md": b"Send it all.\n"}, cast.CLOUDS[0], trail),
}  # fmt: skip
