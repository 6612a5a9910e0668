"""After a week offline there are thousands of heads: each is judged, and the progress is told and kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from vault_protocol import follow, keys, sshsig
from vault_protocol.errors import UntrustedHead
from vault_protocol.follow import Follower, Trust
from vault_protocol.hub import CommitId
from vault_protocol.identity import Identity
from vault_protocol.journal import Build, Journal
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Role
from vault_protocol.testing import MemoryHub, MemoryStore, TestClock

CLOUD = AgentId("cloud")
KEY = keys.new()
TRUST = Trust("v1", {CLOUD: (Role.CLOUD, sshsig.PublicKey.of(KEY))})
HEADS = 1700


def telling(number: int) -> Build:
    """A changeset that writes one Updates line."""
    return lambda _head: {"Updates/cloud/recent.md": f"- {number}\n".encode()}


@pytest.fixture(scope="module")
def week() -> tuple[MemoryStore, CommitId]:
    """So many small changesets of Cloud, one after the other."""
    store = MemoryStore()
    journal = Journal(store, MemoryHub(store), Identity(CLOUD, Role.CLOUD, "v1", KEY), TestClock())
    for number in range(HEADS):
        journal.publish("tell", str(number), telling(number))
    assert journal.head is not None
    return store, journal.head


def test_the_progress_is_told_while_thousands_of_heads_are_followed(week: tuple[MemoryStore, CommitId]) -> None:
    store, head = week
    told: list[tuple[int, int]] = []
    follower = Follower(store, "v1", TRUST, progress=lambda done, total: told.append((done, total)))
    follower.advance(head)
    assert follower.view.head == head
    assert told == [(done, HEADS) for done in range(follow.STRIDE, HEADS, follow.STRIDE)]


def test_a_kill_while_catching_up_goes_on_from_the_last_checkpoint(
    week: tuple[MemoryStore, CommitId], tmp_path: Path
) -> None:
    store, head = week
    told: list[int] = []

    def die_at_1000(done: int, _total: int) -> None:
        if done == 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Follower(store, "v1", TRUST, tmp_path / "checkpoint", die_at_1000).advance(head)
    again = Follower(store, "v1", TRUST, tmp_path / "checkpoint", lambda done, total: told.append(total))
    again.advance(head)
    assert again.view.head == head
    assert told == [HEADS - 1000]


def test_one_bad_head_among_thousands_is_not_applied_and_the_good_ones_before_it_are(
    week: tuple[MemoryStore, CommitId],
) -> None:
    store, head = week
    clock = TestClock()
    bad = store.commit(head, {"Dashboard.md": b"x\n"}, message="x\n", author=AgentId("local"), at=clock.now())
    follower = Follower(store, "v1", TRUST)
    with pytest.raises(UntrustedHead):
        follower.advance(bad)
    assert follower.view.head == head


def test_a_real_repository_with_thousands_of_heads_is_followed(tmp_path: Path) -> None:
    store = GitStore(tmp_path / "store.git")
    journal = Journal(store, MemoryHub(store), Identity(CLOUD, Role.CLOUD, "v1", KEY), TestClock())
    for number in range(600):
        journal.publish("tell", str(number), telling(number))
    follower = Follower(store, "v1", TRUST)
    follower.advance(journal.head)
    assert follower.view.trails[CLOUD].sequence == 600
