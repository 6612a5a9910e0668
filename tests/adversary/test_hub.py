"""The resident hub takes no kind of bad commit, however it comes, and goes on with what is right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from libs.vault_protocol.tests.made import CLOUD
from services.vault_hub.tests.hubworld import HubWorld, packed

from tests.adversary.ground import Ground, lay
from tests.adversary.kind import Kind
from tests.adversary.kinds import of_cloud
from tests.adversary.legal import LEGAL
from vault_protocol.errors import UntrustedHead
from vault_protocol.hub import CommitId

SOME, ALL = of_cloud()[::12], of_cloud()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubWorld]:
    world = HubWorld(tmp_path)
    try:
        yield world
    finally:
        world.close()


@pytest.fixture
def laid(hub: HubWorld) -> Ground:
    """The ground, published by those who wrote it."""
    ground = lay(hub.store)
    for commit in ground.store.history(None, ground.head):
        assert hub.publish(commit.author, commit.id).said["answer"] == "accepted"
    assert hub.head == ground.head
    return ground


def pushed(hub: HubWorld, commit: CommitId) -> str:
    """By Cloud, with force, by git itself; what git says of it. Empty when it was taken."""
    to = hub.address(CLOUD.agent)
    done = hub.git("push", "--porcelain", "--force", to, f"{commit}:refs/heads/main", at=hub.store.path)
    return (done.stdout + done.stderr) if done.returncode else ""


def published(hub: HubWorld, ground: Ground, head: CommitId) -> str:
    """By Cloud, over HTTP, as a line onto the head; the rule that refused it. Empty when it was taken."""
    try:
        line = [packed(hub.store, commit.id) for commit in hub.store.history(ground.head, head)]
        body = json.dumps({"onto": ground.head, "exact": False, "commits": line}).encode()
    except (UntrustedHead, UnicodeError):
        return "it cannot be said over the wire"
    said = hub.ask(CLOUD.agent, "/v1/publish", body)
    return "" if said.said.get("answer") == "accepted" else said.raw.decode()


def refuses(hub: HubWorld, ground: Ground, kinds: tuple[Kind, ...]) -> int:
    """None of them is taken; how many were refused by the very rule."""
    named = 0
    for kind in kinds:
        head = kind.make(ground)
        by_git, by_http = pushed(hub, head), published(hub, ground, head)
        assert by_git, kind.name
        assert by_http, kind.name
        assert hub.head == ground.head, kind.name
        named += f"{kind.rule}: " in by_git or f'"{kind.rule}"' in by_http
    return named


def test_the_hub_takes_no_bad_commit(hub: HubWorld, laid: Ground) -> None:
    assert refuses(hub, laid, SOME) > len(SOME) * 0.7
    good = LEGAL["a claim"].make(laid)
    assert hub.publish(CLOUD.agent, good).said["answer"] == "accepted"


@pytest.mark.prove
def test_the_hub_takes_no_bad_commit_of_any_kind(hub: HubWorld, laid: Ground) -> None:
    assert refuses(hub, laid, ALL) > len(ALL) * 0.7
    assert pushed(hub, LEGAL["a claim"].make(laid)) == ""
