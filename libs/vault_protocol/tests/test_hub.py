"""One contract, two hubs: a real bare repository behind git, and the hub in memory that the services test with."""

import os
import shutil
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast

import git
import pytest
from libs.vault_protocol.tests.made import CLOUD

from vault_protocol import remote
from vault_protocol.errors import HubUnreachable, Refused, UntrustedHead
from vault_protocol.hub import Accepted, Broken, CommitId, Edits, Hub, MovedOn, Store, blob_id
from vault_protocol.remote import Remote
from vault_protocol.store import GitStore
from vault_protocol.testing import MemoryHub, MemoryStore

AT = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass
class Side:
    """One machine's clone and its way to the hub."""

    store: Store
    hub: Hub
    written: int = 0

    def commit(self, onto: CommitId | None, edits: Edits | None = None) -> CommitId:
        self.written += 1
        edits = edits or {f"{id(self)}/{self.written}.md": b"x"}
        return self.store.commit(onto, edits, message="write: x", author=CLOUD.agent, at=AT)

    def published(self) -> CommitId:
        """One more commit on the hub."""
        head = self.hub.refresh()
        commit = self.commit(head)
        assert self.hub.publish(commit, onto=head) == Accepted(commit)
        return commit


class Place(Protocol):
    """A hub, and what may happen to it."""

    def side(self) -> Side: ...

    def leave(self) -> None:
        """From now on it does not answer."""

    def come_back(self) -> None: ...

    def lose_the_next_answer(self) -> None:
        """It takes the next publish, and the line is cut before it says so."""


class InMemory:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.hub = MemoryHub(self.store)

    def side(self) -> Side:
        return Side(self.store, self.hub)

    def leave(self) -> None:
        self.hub.away = True

    def come_back(self) -> None:
        self.hub.away = False

    def lose_the_next_answer(self) -> None:
        self.hub.lose_answers = 1


@dataclass
class OnDisk:
    folder: Path
    sides: list[Side] = field(default_factory=list)

    def __post_init__(self) -> None:
        remote.create(self.bare)

    @property
    def bare(self) -> Path:
        return self.folder / "hub.git"

    def side(self, timeout: float = 60.0) -> Side:
        store = GitStore(self.folder / f"clone-{len(self.sides)}.git")
        self.sides.append(Side(store, Remote(store, str(self.bare), timeout=timeout)))
        return self.sides[-1]

    def leave(self) -> None:
        self.bare.rename(self.folder / "away.git")

    def come_back(self) -> None:
        (self.folder / "away.git").rename(self.bare)

    def hook(self, name: str, script: str) -> None:
        """A hook of the bare repository that runs once."""
        path = self.bare / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\nrm "$0"\n{script}\n')
        path.chmod(0o755)

    def lose_the_next_answer(self) -> None:
        self.hook("post-receive", "kill -9 $PPID")


@pytest.fixture
def disk(tmp_path: Path) -> OnDisk:
    return OnDisk(tmp_path)


@pytest.fixture(params=["git", "memory"])
def place(request: pytest.FixtureRequest) -> Place:
    return cast(Place, request.getfixturevalue("disk")) if request.param == "git" else InMemory()


def on_hub(place: Place) -> list[CommitId]:
    """What somebody new sees, oldest first."""
    side = place.side()
    head = side.hub.refresh()
    return [commit.id for commit in side.store.history(None, head)] if head else []


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


# What only a real repository can do.


def test_a_push_whose_answer_was_lost_still_counts(disk: OnDisk) -> None:
    side = disk.side()
    head = side.published()
    commit = side.commit(head)
    disk.lose_the_next_answer()

    assert side.hub.publish(commit, onto=head) == Accepted(commit)


def test_a_push_whose_answer_was_lost_still_counts_when_others_built_upon_it(disk: OnDisk) -> None:
    side = disk.side()
    head = side.published()
    commit = side.commit(head)
    script = """new=$(git commit-tree -p refs/heads/main -m later refs/heads/main^{tree} </dev/null)
git update-ref refs/heads/main "$new"
kill -9 $PPID"""
    disk.hook(
        "post-receive",
        "export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x\n" + script,
    )

    answer = side.hub.publish(commit, onto=head)

    assert isinstance(answer, Accepted)
    assert [found.id for found in side.store.history(commit, answer.head)] == [answer.head]


def test_a_push_that_was_cut_before_the_hub_took_it_does_not_count(disk: OnDisk) -> None:
    side = disk.side()
    head = side.published()
    disk.hook("pre-receive", "kill -9 $PPID")

    assert isinstance(side.hub.publish(side.commit(head), onto=head), Broken)
    assert on_hub(disk) == [head]


def test_when_the_hub_is_gone_after_a_push_the_outcome_is_unknown_until_a_look(disk: OnDisk) -> None:
    side = disk.side()
    head = side.published()
    commit = side.commit(head)
    disk.hook("post-receive", f'mv "{disk.bare}" "{disk.folder}/away.git"\nkill -9 $PPID')

    assert isinstance(side.hub.publish(commit, onto=head), Broken)

    disk.come_back()
    assert side.hub.refresh() == commit


@pytest.mark.parametrize("hook", ["pre-receive", "update", "reference-transaction"])
def test_a_push_that_a_hook_declines_is_broken_and_not_believed(disk: OnDisk, hook: str) -> None:
    side = disk.side()
    head = side.published()
    commit = side.commit(head)
    disk.hook(hook, "echo no >&2\nexit 1")

    answer = side.hub.publish(commit, onto=head)

    assert isinstance(answer, Broken)
    assert "the hub would not take it" in answer.reason
    assert on_hub(disk) == [head]


def test_a_hub_that_hangs_is_given_up_in_time_and_taken_up_again(disk: OnDisk) -> None:
    side, patient = disk.side(timeout=0.5), disk.side()
    head = patient.published()
    side.hub.refresh()
    commit = side.commit(head)
    disk.hook("pre-receive", f'mkfifo "{disk.folder}/door"\ncat "{disk.folder}/door"')

    assert isinstance(side.hub.publish(commit, onto=head), Broken)

    assert patient.hub.refresh() == head
    assert patient.published()


def test_a_hub_that_was_rewritten_is_no_place_to_publish(disk: OnDisk) -> None:
    side, thief = disk.side(), disk.side()
    head = side.published()
    disk.bare.rename(disk.folder / "old.git")
    remote.create(disk.bare)
    thief.published()

    with pytest.raises(UntrustedHead, match="rolled back or rewritten"):
        side.hub.publish(side.commit(head), onto=head)


def test_a_hub_that_was_emptied_is_no_place_to_publish(disk: OnDisk) -> None:
    side = disk.side()
    head = side.published()
    commit = side.commit(head)
    disk.bare.rename(disk.folder / "old.git")
    remote.create(disk.bare)

    answer = side.hub.publish(commit, onto=head)

    assert answer == MovedOn(None) or isinstance(answer, Accepted)


def test_the_hub_itself_takes_no_force_and_no_deletion(disk: OnDisk) -> None:
    side = disk.side()
    first = side.published()
    head = side.published()
    assert isinstance(side.store, GitStore)

    with git.Repo(side.store.path) as clone:
        for refspec in (f"+{first}:refs/heads/main", ":refs/heads/main"):
            with pytest.raises(git.GitCommandError, match=r"rejected|denied"):
                clone.git.push(disk.bare, refspec)
    assert on_hub(disk) == [first, head]


def test_the_callers_own_git_variables_change_nothing(disk: OnDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_COMMON_DIR",
        "GIT_NAMESPACE",
    ):
        monkeypatch.setenv(name, str(disk.folder / "elsewhere"))
    side = disk.side()

    assert side.published() == disk.side().hub.refresh()
    assert not (disk.folder / "elsewhere").exists()


def test_a_killed_git_leaves_no_lock_that_stops_the_next(disk: OnDisk) -> None:
    side, other = disk.side(), disk.side()
    other.published()
    store = side.store
    assert isinstance(store, GitStore)
    side.hub.refresh()
    head = other.published()
    for name in ("refs/hub/main.lock", "packed-refs.lock", "shallow.lock"):
        (store.path / name).touch()
        os.utime(store.path / name, (0, 0))

    assert side.hub.refresh() == head
    assert disk.side().published() == side.hub.refresh()


def test_two_threads_share_one_way_to_the_hub(disk: OnDisk) -> None:
    side = disk.side()
    head = disk.side().published()
    heads: list[CommitId | None] = []
    threads = [threading.Thread(target=lambda: heads.append(side.hub.refresh())) for _ in range(6)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert heads == [head] * 6


def test_a_head_that_did_not_move_is_not_fetched_again(disk: OnDisk) -> None:
    side, other = disk.side(), disk.side()
    mine = side.published()
    store = side.store
    assert isinstance(store, GitStore)
    assert side.hub.refresh() == mine
    assert not (store.path / "FETCH_HEAD").exists() or not (store.path / "FETCH_HEAD").read_bytes()

    hers = other.published()

    assert side.hub.refresh() == hers
    disk.leave()
    with pytest.raises(HubUnreachable):
        side.hub.refresh()


def test_a_head_that_moved_between_two_waits_is_not_waited_for(disk: OnDisk) -> None:
    side, other = disk.side(), disk.side()
    side.published()
    side.hub.wait(0.1)
    side.hub.wait(0.1)
    other.published()
    begun = time.monotonic()
    side.hub.wait(60.0)
    assert time.monotonic() - begun < 30


def test_waiting_goes_on_at_a_hub_that_was_put_back(disk: OnDisk) -> None:
    side, other = disk.side(), disk.side()
    side.published()
    side.hub.wait(0.1)
    shutil.copytree(disk.bare, disk.folder / "copy.git")
    shutil.rmtree(disk.bare)
    (disk.folder / "copy.git").rename(disk.bare)
    side.hub.wait(0.1)
    side.hub.wait(0.1)
    other.published()
    begun = time.monotonic()
    side.hub.wait(60.0)
    assert time.monotonic() - begun < 30


def test_waiting_ends_when_the_head_moves(disk: OnDisk) -> None:
    side, other = disk.side(), disk.side()
    side.published()
    waiting = threading.Thread(target=side.hub.wait, args=(60.0,))

    waiting.start()
    while waiting.is_alive():
        other.published()
        waiting.join(0.2)


def test_two_threads_share_one_clone_without_losing_a_commit(disk: OnDisk) -> None:
    side = disk.side()
    side.published()
    store = side.store
    assert isinstance(store, GitStore)
    accepted: list[CommitId] = []

    def work(number: int) -> None:
        mine = Side(GitStore(store.path), Remote(GitStore(store.path), str(disk.bare)))
        for round_ in range(4):
            head = mine.hub.refresh()
            commit = mine.commit(head, {f"{number}-{round_}.md": b"x"})
            if isinstance(mine.hub.publish(commit, onto=head), Accepted):
                accepted.append(commit)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert accepted
    assert set(accepted) == set(on_hub(disk)[1:])
