"""One contract, two hubs: a real bare repository behind git, and the hub in memory that the services test with."""

from typing import cast

import pytest
from libs.vault_protocol.tests.hubs import AT, InMemory, OnDisk, Place, on_hub
from libs.vault_protocol.tests.made import CLOUD, LOCAL, task

from vault_protocol import moves, notes
from vault_protocol.errors import HubUnreachable, Refused, UntrustedHead
from vault_protocol.hub import Accepted, Broken, CommitId, Edits, MovedOn, Store, blob_id
from vault_protocol.store import GitStore
from vault_protocol.task import Domain, Stage


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


WAITING = [notes.write(task(number, domain=Domain.SOCIAL if number % 3 else Domain.EMAIL)) for number in range(9)]
OF_MAIL = {path for path, _ in WAITING if "/email/" in path}


def set_aside(store: Store, head: CommitId, path: str, why: str) -> Edits:
    """The task in Quarantine."""
    found = notes.read(path, store.read(head, path) or b"")
    return {path: None, **dict([notes.write(moves.quarantine(found, reason=why, agent=LOCAL.agent, held=None))])}


@pytest.mark.parametrize("count", [1, 2, 50])
def test_any_so_many_tasks_of_a_domain_are_one_question_and_nothing_is_written(place: Place, count: int) -> None:
    one, two = place.side(), place.side()
    elsewhere = notes.write(task(20).evolve(stage=Stage.QUARANTINE))
    first = one.commit(None, dict([*WAITING, elsewhere, ("Plans/p.md", b"x")]))
    one.hub.publish(first, onto=None)

    found = two.hub.reserve([Domain.EMAIL], count)

    assert found.head == first
    assert two.store.read(first, "Plans/p.md") == b"x"
    assert len(set(found.paths)) == len(found.paths) == min(count, len(OF_MAIL))
    assert set(found.paths) <= OF_MAIL
    assert bool(found.seconds) == found.set_aside
    assert on_hub(place) == [first]


def test_two_who_ask_are_named_different_tasks_where_the_hub_sets_them_aside(place: Place) -> None:
    one, two = place.side(), place.another()
    one.hub.publish(one.commit(None, dict(WAITING)), onto=None)

    mine, theirs = one.hub.reserve([*Domain], 5), two.hub.reserve([*Domain], 5)

    assert mine.set_aside == theirs.set_aside
    if mine.set_aside:
        assert len({*mine.paths, *theirs.paths}) == len(WAITING)
    assert {*mine.paths, *theirs.paths} <= {path for path, _ in WAITING}


def test_what_is_set_aside_can_be_taken_by_whoever_publishes_first(place: Place) -> None:
    one, two = place.side(), place.side()
    head = one.commit(None, dict(WAITING))
    one.hub.publish(head, onto=None)
    path, *_ = one.hub.reserve([Domain.EMAIL], 1).paths
    two.hub.refresh()
    ours, theirs = (side.commit(head, set_aside(side.store, head, path, why)) for side, why in ((one, "x"), (two, "y")))

    assert two.hub.publish(theirs, onto=head) == Accepted(theirs)
    assert one.hub.publish(ours, onto=head) == MovedOn(theirs)

    assert path not in one.hub.reserve([*Domain], 50).paths


def test_a_hub_without_tasks_names_none_and_one_that_is_away_says_so(place: Place) -> None:
    side = place.side()
    assert side.hub.reserve([Domain.EMAIL], 3).paths == ()
    side.published()
    assert side.hub.reserve([Domain.EMAIL], 3).paths == ()

    place.leave()
    with pytest.raises(HubUnreachable):
        side.hub.reserve([Domain.EMAIL], 3)
    place.come_back()


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
