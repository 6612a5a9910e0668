"""The service and its social server killed for real at a step: one post for an approval, or the owner is asked."""

from __future__ import annotations

import secrets
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World, until
from services.local_agent.tests.networks import home
from services.local_agent.tests.networks.desk import JPEG, SERVERS
from services.local_agent.tests.test_social_reading import planned

from local_agent import drop
from vault_protocol import request
from vault_protocol.action import PublishPost
from vault_protocol.canonical import sha256
from vault_protocol.social_action import NETWORKS
from vault_protocol.task import Domain, Stage, TaskId

SECONDS = 90
PROGRAM = Path(__file__).parent / "networks" / "dying.py"
STEPS = ("started", "performed", "outcome", "copied", "answered", "receipt")
SAMPLE = (("mastodon", "performed"), ("bluesky", "started"))
MORE = [
    *product(("mastodon",), STEPS),
    *product([network for network in NETWORKS if network != "mastodon"], ("performed",)),
]


def drafted(world: World, network: str) -> TaskId:
    """Cloud puts a post up for approval."""
    drop.keep("shop.jpg", JPEG, world.home.dropped)
    picture = {"name": "shop.jpg", "media_type": "image/jpeg", "size": len(JPEG), "sha256": sha256(JPEG), "alt": "Shop"}
    action = PublishPost.model_validate(
        {"account": "able", "network": network, "text": "We moved.\n", "media": [picture]}
    )
    vault, task = world.cloud, planned()
    vault.add(task)
    held = vault.claim_next([Domain.SOCIAL], fit=lambda one: one.id == task.id)
    assert held is not None
    vault.submit(held, request.put(held.note, request.Request(secrets.token_hex(8), action)))
    return task.id


@pytest.mark.parametrize(
    ("network", "step"),
    [*SAMPLE, *(pytest.param(*one, marks=pytest.mark.prove) for one in MORE if one not in SAMPLE)],
)
def test_killed_at_any_step_a_post_is_published_once_or_the_owner_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], network: str, step: str
) -> None:
    with SERVERS[network]() as server:
        world = home.made(tmp_path, capsys.readouterr, server, network)
        task = drafted(world, network)
        ran = world.approve(str(task), "--yes")
        assert ran.code == 0, ran.err
        argv = [sys.executable, str(PROGRAM), "social", step, str(world.home.path)]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
        assert done.returncode == -9, f"it was never at {step!r}: {done.stderr[-2000:].decode()}"
        with world.service():
            if step == "started":
                until(lambda: world.run("status", "--json").json["unsure"], SECONDS)
                assert server.effects == []
                assert world.run("resolve", str(task), "--not-sent").code == 0
                until(lambda: world.stage(str(task)) is Stage.PENDING_APPROVAL, SECONDS)
                assert world.approve(str(task), "--yes").code == 0
            until(lambda: world.stage(str(task)) is Stage.DONE, SECONDS)
        assert server.shown() == ["We moved."]
