"""One contract, two hubs: a real bare repository behind git, and the hub in memory that the services test with."""

from typing import cast

import pytest
from libs.vault_protocol.tests.hubs import AT, InMemory, OnDisk, Place, on_hub
from libs.vault_protocol.tests.made import CLOUD

from vault_protocol.errors import HubUnreachable, Refused, UntrustedHead
from vault_protocol.hub import Accepted, Broken, MovedOn, blob_id
from vault_protocol.store import GitStore


@pytest.fixture(params=["git", "memory", "resident"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "memory":
        return InMemory()
    return cast(Place, request.getfixturevalue("disk" if request.param == "git" else "resident"))


def test_an_empty_hub_has_no_head(place: Place) -> None:
    assert place.side().hub.refresh() is None


def test_what_one_side_published_the_other_reads(place: Place) -> None:
    one, two = place.side(), place.side()
    first = one.commit(None, {"Plans/p.md": b"hello"})

    assert one.hub.publish(first, onto=None) == Accepted(first)

    assert two.hub.refresh() == first
    assert two.store.read(first, "Plans/p.md") == b"hello"
    second = two.commit(first)
    assert two.hub.publish(second, onto=first) == Accepted(second)
    assert one.hub.refresh() == second
    assert [found.id for found in one.store.history(first, second)] == [second]


def test_of_two_publishes_onto_one_head_only_the_first_is_accepted(place: Place) -> None:
    one, two = place.side(), place.side()
    head = one.published()
    assert two.hub.refresh() == head
    mine, hers = one.commit(head), two.commit(head)

    assert one.hub.publish(mine, onto=head) == Accepted(mine)
    assert two.hub.publish(hers, onto=head) == MovedOn(mine)

    assert on_hub(place) == [head, mine]


def test_of_two_roots_for_an_empty_hub_only_the_first_is_accepted(place: Place) -> None:
    one, two = place.side(), place.side()
    mine, hers = one.commit(None), two.commit(None)

    assert one.hub.publish(mine, onto=None) == Accepted(mine)
    assert two.hub.publish(hers, onto=None) == MovedOn(mine)
    assert on_hub(place) == [mine]


def test_the_head_that_was_first_can_be_built_upon_at_once(place: Place) -> None:
    one, two = place.side(), place.side()
    head = one.published()
    two.hub.refresh()
    theirs = one.published()

    answer = two.hub.publish(two.commit(head), onto=head)

    assert answer == MovedOn(theirs)
    again = two.commit(theirs)
    assert two.hub.publish(again, onto=theirs) == Accepted(again)


def test_a_line_of_commits_is_published_in_one_swap(place: Place) -> None:
    side = place.side()
    head = side.published()
    line = [head]
    for _ in range(3):
        line.append(side.commit(line[-1]))

    assert side.hub.publish(line[-1], onto=head) == Accepted(line[-1])
    assert on_hub(place) == line


def test_publishing_again_what_the_hub_has_is_accepted_and_changes_nothing(place: Place) -> None:
    side = place.side()
    head = side.published()
    commit = side.commit(head)
    side.hub.publish(commit, onto=head)

    assert side.hub.publish(commit, onto=head) == Accepted(commit)
    grown = side.published()
    assert side.hub.publish(commit, onto=head) == Accepted(grown)
    assert on_hub(place) == [head, commit, grown]


def test_what_does_not_follow_the_head_is_never_accepted(place: Place) -> None:
    side = place.side()
    first = side.published()
    head = side.published()
    another_root, beside, back = side.commit(None), side.commit(first), first

    for commit in (another_root, beside, back):
        assert not isinstance(side.hub.publish(commit, onto=head), Accepted)
    assert not isinstance(side.hub.publish(beside, onto=first), Accepted)
    assert not isinstance(side.hub.publish(another_root, onto=None), Accepted)

    assert on_hub(place) == [first, head]


def test_a_hub_that_is_away_says_so_and_nothing_is_lost(place: Place) -> None:
    side = place.side()
    head = side.published()
    place.leave()

    with pytest.raises(HubUnreachable):
        side.hub.refresh()
    commit = side.commit(head)
    assert isinstance(side.hub.publish(commit, onto=head), Broken)

    place.come_back()
    assert side.hub.refresh() == head
    assert side.hub.publish(commit, onto=head) == Accepted(commit)


def test_after_a_lost_answer_a_look_shows_what_became_of_it(place: Place) -> None:
    side = place.side()
    head = side.published()
    commit = side.commit(head)
    place.lose_the_next_answer()

    answer = side.hub.publish(commit, onto=head)

    assert isinstance(answer, Accepted | Broken)
    assert side.hub.refresh() == commit
    assert side.hub.publish(commit, onto=head) == Accepted(commit)


def test_a_refused_commit_leaves_no_trace_on_the_hub(place: Place) -> None:
    one, two = place.side(), place.side()
    head = one.published()
    two.hub.refresh()
    one.published()

    lost = two.commit(head)
    two.hub.publish(lost, onto=head)

    assert lost not in on_hub(place)
    if isinstance(place, OnDisk):
        with pytest.raises(UntrustedHead, match="not here"):
            GitStore(place.bare).history(None, lost)


def test_a_path_below_a_file_cannot_be_written(place: Place) -> None:
    side = place.side()
    head = side.commit(None, {"Plans/p.md": b"x"})

    for edits in ({"Plans/p.md/q.md": b"x"}, {"a.md": b"x", "a.md/b.md": b"x"}):
        with pytest.raises(Refused, match="the same name"):
            side.store.commit(head, edits, message="x", author=CLOUD.agent, at=AT)


def test_a_store_shows_what_changed_and_what_is_there(place: Place) -> None:
    store = place.side().store
    first = store.commit(None, {"a/b.md": b"1", "a-b.md": b"2", "z.md": b"3"}, message="x", author=CLOUD.agent, at=AT)
    edits = {"a/b.md": None, "a/c/d.md": b"4", "z.md": b"5", "never-there.md": None, "no/where.md": None}
    second = store.commit(first, edits, message="x", author=CLOUD.agent, at=AT)

    changed = {change.path: (change.old, change.new) for change in store.changes(first, second)}

    assert {path: (old is None, new is None) for path, (old, new) in changed.items()} == {
        "a/b.md": (False, True), "a/c/d.md": (True, False), "z.md": (False, False),
    }  # fmt: skip
    assert [path for path, _ in store.paths(second)] == ["a-b.md", "a/c/d.md", "z.md"]
    assert [path for path, _ in store.paths(second, "a")] == ["a/c/d.md"]
    assert list(store.paths(second, "nowhere")) == list(store.paths(second, "z.md")) == []
    assert store.read(second, "a/b.md") is None
    assert store.read(second, "z.md/x.md") is None
    assert store.read(second, "a") is None
    assert store.blob(blob_id(b"5")) == b"5"
    assert [change.path for change in store.changes(None, first)] == ["a-b.md", "a/b.md", "z.md"]


def test_two_trees_with_their_bytes_swapped_are_two_commits(place: Place) -> None:
    store = place.side().store
    one, two = (
        store.commit(None, {"a.md": first, "b.md": second}, message="x", author=CLOUD.agent, at=AT)
        for first, second in ((b"1", b"2"), (b"2", b"1"))
    )

    assert one != two
    assert (store.read(one, "a.md"), store.read(two, "a.md")) == (b"1", b"2")
