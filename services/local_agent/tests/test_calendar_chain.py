"""A planned post from the calendar over Cloud's draft and the owner's approval to one post at its time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from services.cloud_agent.tests.world import World
from services.local_agent.tests.networks.desk import OWNER_KEY, desk_of

from local_agent.decisions import Desk, How
from local_agent.effects import Done
from vault_protocol import request, sshsig
from vault_protocol.action import PublishPost
from vault_protocol.approval import NAMESPACE, SignedApproval
from vault_protocol.canonical import utc
from vault_protocol.task import Stage


class Owner:
    """Signs whatever is asked."""

    how = "none"

    def __call__(self, message: bytes) -> str:
        return sshsig.sign(OWNER_KEY, message, namespace=NAMESPACE)


@pytest.mark.parametrize("network", ["mastodon", "bluesky", "x", "linkedin", "facebook"])
def test_an_entry_of_the_calendar_is_one_post_at_its_time_and_not_before(tmp_path: Path, network: str) -> None:
    world = World(tmp_path / "cloud", owner=sshsig.PublicKey.of(OWNER_KEY))
    at = (world.clock.now() + timedelta(days=2)).replace(second=0, microsecond=0)
    entry = f'---\ntype: post\nat: "{at:%Y-%m-%d %H:%M}"\ntime_zone: UTC\nnetworks: [{network} able]\n---\nWe moved.\n'
    world.local.write("owner_edit", "calendar", {"Calendar/moved.md": entry.encode()})
    world.works()
    task = world.only(Stage.PENDING_APPROVAL)
    owner = Desk(world.local, "exec-1", "owner", timedelta(0))
    approved = owner.approve(task, sign=Owner(), how=How.COMMAND)
    journal = world.local.journal
    assert journal.head is not None
    (path,) = [path for path, _ in journal.store.paths(journal.head, "Approvals")]
    signed = SignedApproval.model_validate_json(journal.read(path) or b"")
    assert signed.approval.not_before == utc(at)
    asked = request.read(approved.note)
    assert asked is not None
    assert isinstance(asked.action, PublishPost)
    with desk_of(tmp_path, network) as desk:
        desk.clock = world.clock
        desk.server.clock = world.clock.now
        assert not isinstance(desk.execute(asked.action, signed), Done)
        assert desk.server.shown() == []
        world.clock.tick(timedelta(days=2))
        answers = [desk.execute(asked.action, signed) for _ in range(3)]
        assert all(isinstance(answer, Done) for answer in answers), answers
        assert desk.server.shown() == ["We moved."]
