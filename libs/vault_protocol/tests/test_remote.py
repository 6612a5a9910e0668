"""What only a real repository behind git can do: lose an answer, decline, hang, be put back."""

import os
import shutil
import subprocess
import threading
import time

import git
import pytest
from libs.vault_protocol.tests.hubs import AT, OnDisk, Side, on_hub
from libs.vault_protocol.tests.made import CLOUD

from vault_protocol import remote
from vault_protocol.errors import HubRewritten, HubUnreachable
from vault_protocol.hub import Accepted, Broken, CommitId, MovedOn
from vault_protocol.remote import Remote
from vault_protocol.store import GitStore


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
        "export TZ=UTC GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x@countersign.invalid"
        " GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x@countersign.invalid\n" + script,
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


def test_a_commit_is_not_pushed_onto_a_head_that_went_back(disk: OnDisk) -> None:
    """It would be a fast-forward, and the loss of what came after would go by unseen."""
    side = disk.side()
    far = Side(side.store, far_away(disk))
    first, head = side.published(), side.published()
    git.Repo(disk.bare).git.update_ref("refs/heads/main", first)

    for way in (side, far):
        assert way.hub.publish(way.commit(head), onto=head) == MovedOn(first)


def test_a_new_root_replaces_the_head_that_was_seen_and_no_other(disk: OnDisk) -> None:
    side, other = disk.side(), disk.side()
    seen = side.published()
    root = side.store.root(seen, message="re-root: x", author=CLOUD.agent, at=AT)
    assert other.hub.refresh() == seen
    head = other.published()

    assert remote_of(side).replace(root, seen=seen) == MovedOn(head)
    assert remote_of(side).replace(root, seen=head) == Accepted(root)
    assert (side.hub.refresh(), other.hub.refresh()) == (root, root)
    assert remote.fsck(disk.bare) == ()


def test_a_new_root_that_somebody_built_upon_meanwhile_stands(disk: OnDisk) -> None:
    """Another agent may publish between the swap and the look at what became of it."""
    side, other = disk.side(), disk.side()
    seen = side.published()
    root = side.store.root(seen, message="re-root: x", author=CLOUD.agent, at=AT)
    assert remote_of(side).replace(root, seen=seen) == Accepted(root)
    assert other.hub.refresh() == root
    head = other.published()

    assert remote_of(side).replace(root, seen=seen) == Accepted(head)


def test_where_the_hub_denies_a_new_root_the_answer_says_what_its_operator_runs(disk: OnDisk) -> None:
    side = disk.side()
    seen = side.published()
    root = side.store.root(seen, message="re-root: x", author=CLOUD.agent, at=AT)
    far = far_away(disk)

    answer = far.replace(root, seen=seen)

    assert isinstance(answer, Broken)
    told = f"git update-ref refs/heads/main {root} {seen}"
    assert told in answer.reason
    assert far.refresh() == seen
    subprocess.run([*told.split()], cwd=disk.bare, check=True, timeout=20)
    assert far.refresh() == root


def test_where_the_hub_allows_it_a_new_root_is_pushed_under_a_lease(disk: OnDisk) -> None:
    side = disk.side()
    seen = side.published()
    root = side.store.root(seen, message="re-root: x", author=CLOUD.agent, at=AT)
    with git.Repo(disk.bare).config_writer() as config:
        config.set_value("receive", "denyNonFastForwards", "false")
    far = far_away(disk)

    assert far.replace(root, seen=None) == MovedOn(seen)
    assert far.replace(root, seen=seen) == Accepted(root)


def remote_of(side: Side) -> Remote:
    assert isinstance(side.hub, Remote)
    return side.hub


def far_away(disk: OnDisk) -> Remote:
    """The first side's way to the hub by an address that is no path: as if it were on another machine."""
    store = disk.sides[0].store
    assert isinstance(store, GitStore)
    with git.Repo(store.path).config_writer() as config:
        config.set_value(f'url "file://{disk.folder}/"', "insteadOf", "far:")
    return Remote(store, "far:hub.git")


def test_a_hub_that_was_rewritten_is_no_place_to_publish(disk: OnDisk) -> None:
    side, thief = disk.side(), disk.side()
    head = side.published()
    disk.bare.rename(disk.folder / "old.git")
    remote.create(disk.bare)
    theirs = thief.published()

    assert side.hub.publish(side.commit(head), onto=head) == MovedOn(theirs)
    with pytest.raises(HubRewritten, match="rolled back or rewritten"):
        side.store.history(head, theirs)


def test_a_hub_that_was_emptied_is_no_place_to_publish(disk: OnDisk) -> None:
    side = disk.side()
    head = side.published()
    commit = side.commit(head)
    disk.bare.rename(disk.folder / "old.git")
    remote.create(disk.bare)

    answer = side.hub.publish(commit, onto=head)

    assert answer == MovedOn(None)


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
        clone = GitStore(store.path)
        mine = Side(clone, Remote(clone, str(disk.bare)))
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
