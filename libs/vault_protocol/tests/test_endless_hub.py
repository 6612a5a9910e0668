"""A hub that never ends: no more than a page that nobody signed comes to the disk, and every call comes back."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from libs.vault_protocol.tests import endless, made
from libs.vault_protocol.tests.endless import Unsigned, paged, serving, trickling, weight
from libs.vault_protocol.tests.made import CLOUD, LOCAL
from libs.vault_protocol.tests.rooting import OWNER, new_root

from vault_protocol import wire
from vault_protocol.errors import HubRewritten, HubUnreachable, UntrustedHead
from vault_protocol.hub import Broken, CommitId
from vault_protocol.hub_client import HubClient, Limits
from vault_protocol.identity import Identity
from vault_protocol.journal import Build, Journal
from vault_protocol.store import GitStore
from vault_protocol.testing import MemoryHub, TestClock

LARGE = 256 * 1024
PAGE = 4 * LARGE


@pytest.fixture
def truth(tmp_path: Path) -> GitStore:
    """Where the commits are made that an honest hub would show."""
    return GitStore(tmp_path / "truth.git")


def planning(number: int) -> Build:
    return lambda _head: {f"Plans/{number}.md": b"- [ ] first\n"}


def line(store: GitStore, number: int, who: Identity = CLOUD) -> CommitId:
    """So many signed commits; the last."""
    journal = Journal(store, MemoryHub(store), who, TestClock())
    for one in range(number):
        journal.publish("write", "x", planning(one))
    assert journal.head is not None
    return journal.head


def follower(hub: HubClient, store: GitStore, checkpoint: Path | None = None) -> Journal:
    """Local, which judges what it is shown."""
    return Journal(store, hub, LOCAL, TestClock(), trust=made.TRUST, owner=OWNER, checkpoint=checkpoint)


def test_of_unsigned_commits_without_end_one_page_comes_to_the_disk_however_often_it_looks(tmp_path: Path) -> None:
    hostile = Unsigned(tmp_path, size=LARGE)
    store = GitStore(tmp_path / "clone.git")
    with serving(hostile) as url:
        local = follower(HubClient(store, url, "t", limits=Limits(size=100 * PAGE)), store)
        for _ in range(20):
            with pytest.raises(UntrustedHead, match="not signed"):
                local.refresh()
    store.keep()
    assert local.head is None
    assert hostile.asked == 20
    assert weight(store.path) < 2 * PAGE


def test_unsigned_commits_behind_good_ones_leave_the_good_ones_followed(tmp_path: Path, truth: GitStore) -> None:
    good = line(truth, 6)
    hostile = Unsigned(tmp_path, store=truth, size=LARGE)
    honest = paged(truth, good, 4)

    def answer(body: wire.Object) -> wire.Object:
        begun = not body["have"] or body["have"][0] != good
        return {**honest(body), "more": True} if begun else hostile(body)

    store = GitStore(tmp_path / "clone.git")
    with serving(answer) as url:
        local = follower(HubClient(store, url, "t"), store)
        for _ in range(5):
            with pytest.raises(UntrustedHead, match="not signed"):
                local.refresh()
            assert local.head == good
    store.keep()
    assert weight(store.path) < 2 * PAGE


def test_unsigned_commits_on_another_line_are_held_back_as_well(tmp_path: Path, truth: GitStore) -> None:
    """A last page that is not on the line is a rewritten hub; what comes after that is not let in unsigned."""
    good, hostile = line(truth, 3), Unsigned(tmp_path, size=LARGE)
    store = GitStore(tmp_path / "clone.git")
    shown = [paged(truth, good, 4)]
    with serving(lambda body: shown[-1](body)) as url:
        local = follower(HubClient(store, url, "t"), store)
        local.refresh()
        shown.append(lambda _body: {**hostile({"have": []}), "more": False})
        with pytest.raises(HubRewritten):
            local.refresh()
        for _ in range(5):
            with pytest.raises(UntrustedHead, match="not signed"):
                local.refresh()
    store.keep()
    assert local.head == good
    assert weight(store.path) < 2 * PAGE


def test_whoever_refused_a_head_follows_again_once_the_hub_shows_what_was_signed(
    tmp_path: Path, truth: GitStore
) -> None:
    good = line(truth, 10)
    hostile = Unsigned(tmp_path, size=100)
    store = GitStore(tmp_path / "clone.git")
    shown: list[endless.Answer] = [hostile]
    with serving(lambda body: shown[-1](body)) as url:
        local = follower(HubClient(store, url, "t"), store)
        with pytest.raises(UntrustedHead):
            local.refresh()
        shown.append(paged(truth, good, 3))
        assert local.refresh() == good

        root = new_root(truth, good, local.trails)
        shown.append(lambda _body: endless.page(truth, truth.history(None, root), more=False))
        assert local.refresh() == root


def test_a_clone_that_is_behind_its_checkpoint_catches_up_in_pages(tmp_path: Path, truth: GitStore) -> None:
    head, store, checkpoint = line(truth, 12), GitStore(tmp_path / "clone.git"), tmp_path / "checkpoint"
    with serving(paged(truth, head, 5)) as url:
        assert follower(HubClient(store, url, "t"), store, checkpoint).refresh() == head
        store.set_ref("refs/hub/main", store.history(None, head)[0].id)
        assert follower(HubClient(store, url, "t"), store, checkpoint).refresh() == head

        anew = GitStore(tmp_path / "anew.git")
        assert follower(HubClient(anew, url, "t"), anew, checkpoint).refresh() == head


@pytest.mark.parametrize("judging", [True, False])
def test_a_vault_larger_than_is_taken_at_once_comes_in_several_times(
    tmp_path: Path, truth: GitStore, *, judging: bool
) -> None:
    head, store = line(truth, 10), GitStore(tmp_path / "clone.git")
    with serving(paged(truth, head, 4)) as url:
        hub = HubClient(store, url, "t", limits=Limits(size=1))
        refresh = follower(hub, store).refresh if judging else hub.refresh
        for _ in range(2):
            with pytest.raises(HubUnreachable, match="Try again, it goes on from there"):
                refresh()
        assert refresh() == head


def test_commits_without_end_that_nobody_judges_end_by_their_bytes(tmp_path: Path) -> None:
    hostile, store = Unsigned(tmp_path, size=LARGE), GitStore(tmp_path / "clone.git")
    with serving(hostile) as url, pytest.raises(HubUnreachable, match=r"more than is taken at once .*3 MiB"):
        HubClient(store, url, "t", limits=Limits(size=3 * PAGE)).refresh()
    store.keep()
    assert weight(store.path) < 5 * PAGE


def test_pages_without_end_end_by_the_clock(tmp_path: Path) -> None:
    hostile, store, ticks = Unsigned(tmp_path, size=10), GitStore(tmp_path / "clone.git"), count(0, 10)
    with serving(hostile) as url, pytest.raises(HubUnreachable, match="more than is taken at once"):
        HubClient(store, url, "t", monotonic=lambda: float(next(ticks))).refresh()
    assert hostile.asked < 60


def test_an_answer_to_nothing_that_was_asked_ends(tmp_path: Path) -> None:
    """Such words come with the answer to a publish, after which one may have to catch up."""
    lie = {"answer": "moved_on", "head": "1" * 40, "more": False, "commits": []}
    with serving(lambda _body: lie) as url:
        hub = HubClient(GitStore(tmp_path / "clone.git"), url, "t")
        with pytest.raises(UntrustedHead, match="a head that it does not show"):
            hub.refresh()


@pytest.mark.parametrize("how", [endless.BODY, endless.CHUNKS, endless.HEAD], ids=["body", "chunks", "head"])
def test_an_answer_that_comes_by_single_bytes_ends(tmp_path: Path, how: tuple[bytes, bytes]) -> None:
    store = GitStore(tmp_path / "clone.git")
    with trickling(*how) as url:
        hub = HubClient(store, url, "t", limits=Limits(answer_seconds=0.3))
        with pytest.raises(HubUnreachable, match=r"not whole after 0\.3 s; look at"):
            hub.refresh()
        commit = line(store, 1, LOCAL)
        answer = hub.publish(commit, onto=None)
    assert isinstance(answer, Broken)
    assert "not whole after" in answer.reason


def test_an_answer_is_late_by_the_clock_it_was_given(tmp_path: Path) -> None:
    clock = TestClock()

    def passing() -> float:
        clock.tick(timedelta(seconds=1))
        return clock.now().timestamp()

    with trickling(*endless.BODY) as url, pytest.raises(HubUnreachable, match="not whole after 300 s"):
        HubClient(GitStore(tmp_path / "clone.git"), url, "t", monotonic=passing).refresh()
