"""Heads a hostile hub could offer are refused, and what was right before them stays."""

from pathlib import Path

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.attacks import (
    ASKS,
    ATTACKS,
    MINE,
    WAITS,
    Attack,
    replayed,
    rewritten,
    rolled_back,
    twice,
    unsigned,
)
from libs.vault_protocol.tests.made import CLOUD, LOCAL, OTHER, STRANGER, Author

from vault_protocol import notes
from vault_protocol.errors import UntrustedHead
from vault_protocol.follow import Follower
from vault_protocol.hub import CommitId
from vault_protocol.identity import Identity
from vault_protocol.task import AgentId


@pytest.fixture
def author(tmp_path: Path) -> Author:
    """A vault with one task that waits and one that asks, legally made."""
    author = made.author_in(tmp_path / "store.git")
    author.move(LOCAL, None, WAITS)
    author.move(LOCAL, None, made.task(2))
    author.move(OTHER, made.task(2), made.in_progress(OTHER, 2))
    author.move(OTHER, made.in_progress(OTHER, 2), ASKS)
    return author


@pytest.fixture
def follower(author: Author) -> Follower:
    follower = Follower(author.store, made.VAULT, made.TRUST)
    follower.advance(author.head)
    return follower


@pytest.mark.parametrize(("attack", "rule"), ATTACKS.values(), ids=ATTACKS)
def test_a_hostile_head_is_refused_by_its_rule_and_a_good_one_after_it_is_followed(
    attack: Attack, rule: str, author: Author, follower: Follower
) -> None:
    good, trails = author.head, dict(author.trails)
    bad = attack(author)

    with pytest.raises(UntrustedHead, match=rule):
        follower.advance(bad)

    stands = follower.view.head
    assert stands is not None
    assert [c.id for c in author.store.history(good, stands)] == [c for c in honest(author, good, bad) if c != bad]
    if stands == good:
        author.head, author.trails = good, trails
        follower.advance(author.move(CLOUD, WAITS, MINE))
        assert follower.view.where[MINE.id] == notes.write(MINE)[0]


def honest(author: Author, good: CommitId | None, bad: CommitId) -> list[CommitId]:
    """The commits of an attack that were still right, oldest first."""
    try:
        return [commit.id for commit in author.store.history(good, bad)]
    except UntrustedHead:
        return []


def test_what_was_right_before_a_bad_commit_stays_applied(author: Author, follower: Follower) -> None:
    right = author.commit(CLOUD, {"Plans/p.md": b"x"})
    author.commit(CLOUD, {"Dashboard.md": b"x"})
    after = author.commit(OTHER, {"Plans/q.md": b"x"})

    for _ in range(2):
        with pytest.raises(UntrustedHead, match="rule 'zone'"):
            follower.advance(after)
        assert follower.view.head == right


def test_the_view_knows_where_every_task_stands(author: Author, follower: Follower) -> None:
    expected = dict(follower.view.where)

    assert expected == {WAITS.id: notes.write(WAITS)[0], ASKS.id: notes.write(ASKS)[0]}
    follower.advance(author.move(CLOUD, WAITS, MINE))
    assert follower.view.where == {**expected, MINE.id: notes.write(MINE)[0]}


def test_an_empty_hub_that_was_not_empty_before_is_refused(follower: Follower) -> None:
    with pytest.raises(UntrustedHead, match="the hub is empty"):
        follower.advance(None)


def test_a_restart_remembers_head_trails_and_places(author: Author, tmp_path: Path) -> None:
    checkpoint = tmp_path / "state" / "checkpoint.json"
    before = Follower(author.store, made.VAULT, made.TRUST, checkpoint)
    before.advance(author.head)

    after = Follower(author.store, made.VAULT, made.TRUST, checkpoint)
    after.advance(author.head)

    assert after.view == before.view
    assert checkpoint.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("attack", [rolled_back, rewritten, replayed, twice, unsigned])
def test_a_restart_forgets_nothing_that_an_attack_could_use(attack: Attack, author: Author, tmp_path: Path) -> None:
    Follower(author.store, made.VAULT, made.TRUST, tmp_path / "checkpoint").advance(author.head)
    bad = attack(author)

    with pytest.raises(UntrustedHead):
        Follower(author.store, made.VAULT, made.TRUST, tmp_path / "checkpoint").advance(bad)


def test_without_pinned_keys_the_head_is_followed_as_the_hub_gives_it(author: Author) -> None:
    follower = Follower(author.store, made.VAULT)
    author.commit(STRANGER, {"Plans/p.md": b"x"})
    head = unsigned(author)

    follower.advance(head)

    assert follower.view.head == head
    assert follower.view.trails[OTHER.agent] == author.trails[OTHER.agent]


def test_an_agents_name_is_judged_by_its_key_whatever_it_calls_itself(author: Author, follower: Follower) -> None:
    boss = Identity(AgentId("local"), CLOUD.role, made.VAULT, CLOUD.key)

    with pytest.raises(UntrustedHead, match="the signature of local does not fit"):
        follower.advance(author.commit(boss, {"Dashboard.md": b"x"}))
