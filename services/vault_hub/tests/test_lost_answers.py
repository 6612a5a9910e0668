"""A line cut after any byte, a hub that hears and is not heard, a disk that fails: nobody is told what is not so."""

import asyncio
import errno
import os
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from libs.vault_protocol.tests.made import LOCAL, TRUST
from services.vault_hub.tests.cutting import cutting
from services.vault_hub.tests.hubworld import HubWorld, Side, parent_of, signed
from services.vault_hub.tests.test_publish import on_disk

from demo.processes import eventually
from vault_hub import holding
from vault_hub.maintenance import Maintenance
from vault_hub.metrics import Metrics
from vault_protocol import changeset, remote
from vault_protocol.changeset import Trail
from vault_protocol.errors import HubUnreachable
from vault_protocol.hub import Accepted, Broken, CommitId, MovedOn
from vault_protocol.hub_client import HubClient
from vault_protocol.journal import Journal

NUMBERS = count()


def through(hub: HubWorld, port: int, timeout: float = 10.0) -> Side:
    """An agent of its own clone that reaches the hub over this port."""
    side = hub.side(LOCAL.agent, f"side-{next(NUMBERS)}", f"http://127.0.0.1:{port}")
    side.hub._asking._timeout = timeout
    return side


def next_commit(side: Side, head: CommitId | None, path: str, content: bytes = b"x\n") -> CommitId:
    """Local's next on this head, which is its own."""
    trail = Trail()
    if head is not None:
        (last,) = side.store.history(parent_of(side.store, head), head)
        changes = side.store.changes(last.parents[0] if last.parents else None, head)
        trail = changeset.parse(last.message, vault=TRUST.vault, changes=changes).trail
    return signed(LOCAL, side.store, head, {path: content}, trail)


def published_once(hub: HubWorld, commit: CommitId, before: list[CommitId]) -> None:
    assert on_disk(hub) == [*before, commit]


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.prove)])
def test_an_answer_cut_after_any_byte_is_found_out_and_nothing_is_published_twice(hub: HubWorld, every: int) -> None:
    hub.begin()
    with cutting(hub.running.port) as line:
        side = through(hub, line.port)
        for cut in count(step=every):
            head, before = side.hub.refresh(), line.passed
            commit = next_commit(side, head, f"Plans/{cut}.md")
            side.hub._asking.hang_up()  # the next connection is the one that is cut
            line.answers = [cut]

            assert side.hub.publish(commit, onto=head) == Accepted(commit), cut

            assert hub.head == commit
            if line.passed - before < cut:
                break
    assert cut > 200, "an answer is longer than that"
    assert len(on_disk(hub)) == 2 + cut // every, "each is there once"
    assert remote.fsck(hub.running.repository) == ()


@pytest.mark.parametrize("every", [41, pytest.param(1, marks=pytest.mark.prove)])
def test_a_page_cut_after_any_byte_is_asked_for_again_and_nothing_of_it_is_missed(hub: HubWorld, every: int) -> None:
    line = [hub.begin()]
    with cutting(hub.running.port) as cable:
        side = through(hub, cable.port)
        assert side.hub.refresh() == line[-1]
        for cut in count(step=every):
            line.append(hub.author.commit(LOCAL, {f"Plans/{cut}.md": b"x\n"}))
            assert hub.publish(LOCAL.agent, line[-1]).said["answer"] == "accepted"
            side.hub._asking.hang_up()
            cable.answers, before = [cut], cable.passed
            try:
                found = side.hub.refresh()
            except HubUnreachable:
                found = side.hub.refresh()
            assert found == line[-1], cut
            if cable.passed - before < cut:
                break
    assert cut > 400, "a page is longer than that"
    assert [one.id for one in side.store.history(None, line[-1])] == line
    assert remote.fsck(side.store.path) == ()


def test_a_request_cut_after_any_byte_is_published_once_or_not_at_all(hub: HubWorld) -> None:
    hub.begin()
    with cutting(hub.running.port) as line:
        side = through(hub, line.port)
        for cut in [*range(1, 400, 13), *range(400, 1600, 61)]:
            head, before = side.hub.refresh(), on_disk(hub)
            commit = next_commit(side, head, f"Plans/{cut}.md")
            side.hub._asking.hang_up()
            line.requests = [cut, cut]

            answer = side.hub.publish(commit, onto=head)

            line.requests = []
            if isinstance(answer, Broken):
                assert side.hub.refresh() == head, cut
                answer = side.hub.publish(commit, onto=head)
            assert answer == Accepted(commit), cut
            published_once(hub, commit, before)
    assert remote.fsck(hub.running.repository) == ()


def test_when_every_answer_is_lost_the_outcome_is_unknown_until_somebody_looks(hub: HubWorld) -> None:
    hub.begin()
    with cutting(hub.running.port) as line:
        side = through(hub, line.port, timeout=1.0)
        head, before = side.hub.refresh(), on_disk(hub)
        commit = next_commit(side, head, "Plans/p.md")
        line.deaf = True

        assert isinstance(side.hub.publish(commit, onto=head), Broken)
        with pytest.raises(HubUnreachable):
            side.hub.refresh()

        line.deaf = False
        assert side.hub.refresh() == commit
        assert side.hub.publish(commit, onto=head) == Accepted(commit)
        published_once(hub, commit, before)


def test_an_agent_behind_a_partition_that_heals_decides_again(hub: HubWorld) -> None:
    hub.begin()
    with cutting(hub.running.port) as line:
        side, other = through(hub, line.port), hub.side(LOCAL.agent, "other")
        head = side.hub.refresh()
        lost = next_commit(side, head, "Plans/p.md")
        side.hub._asking.hang_up()
        line.requests = [10] * 4
        assert isinstance(side.hub.publish(lost, onto=head), Broken)
        line.requests = []
        theirs = next_commit(other, other.hub.refresh(), "Plans/p.md", b"theirs\n")
        assert other.hub.publish(theirs, onto=head) == Accepted(theirs)

        assert side.hub.publish(lost, onto=head) == MovedOn(theirs)


# A disk that fails, for the thread that decides alone.

Call = Callable[..., Any]
CALLS = {
    "write": (os, "write"),
    "fsync": (os, "fsync"),
    "open": (os, "open"),
    "rename": (os, "rename"),
    "replace": (os, "replace"),
}


class Failing:
    """The n-th of these calls by the arbiter fails, or every one from there on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, call: str, number: int, code: int, *, sticky: bool) -> None:
        self.hits, self.seen = 0, 0
        owner, name = CALLS[call]
        real: Call = getattr(owner, name)

        def failing(*given: Any, **named: Any) -> Any:
            if threading.current_thread().name != "arbiter":
                return real(*given, **named)
            self.seen += 1
            if self.seen == number or (sticky and self.seen > number):
                self.hits += 1
                raise OSError(code, os.strerror(code))
            return real(*given, **named)

        monkeypatch.setattr(owner, name, failing)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
@pytest.mark.parametrize("sticky", [False, True], ids=["once", "sticky"])
@pytest.mark.parametrize("call", CALLS)
def test_a_disk_that_fails_at_any_call_of_a_publish_costs_nothing_that_was_told(
    hub: HubWorld, call: str, sticky: bool, code: int
) -> None:
    hub.begin()
    hits = 0
    for number in count(1):
        side = hub.side(LOCAL.agent, f"side-{next(NUMBERS)}")
        head, before = side.hub.refresh(), on_disk(hub)
        commit = next_commit(side, head, f"Plans/{number}.md")
        with pytest.MonkeyPatch.context() as monkeypatch:
            failing = Failing(monkeypatch, call, number, code, sticky=sticky)
            answer = side.hub.publish(commit, onto=head)
        hits += failing.hits

        assert answer == Accepted(commit) or isinstance(answer, Broken)
        if isinstance(answer, Accepted):
            published_once(hub, commit, before)
        assert on_disk(hub) in (before, [*before, commit])
        arbiter = hub.running.hub.arbiter if hub.running.hub else None
        if arbiter is not None and arbiter.bug is not None:  # on disk or not: only a start can tell
            hub.running.stop()
            hub.running.start()
        assert remote.fsck(hub.running.repository) == ()
        assert side.hub.publish(commit, onto=head) == Accepted(commit)
        published_once(hub, commit, before)
        assert not list(hub.running.repository.rglob("tmp_*"))
        assert not list((hub.running.repository / "refs").rglob("*.lock"))
        if not failing.hits:
            break
    assert hits or call == "replace", "nothing ever failed, so nothing is proved"


def test_a_state_folder_that_cannot_be_written_holds_up_nothing(hub: HubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.begin()
    monkeypatch.setattr("vault_hub.arbiter.SAVED_EVERY", 1)
    state = hub.running.folder / "state"
    for path in state.iterdir():
        path.unlink()
    state.rmdir()
    state.write_text("no folder")

    refused = hub.publish(LOCAL.agent, hub.author.commit(LOCAL, {"x.exe": b""}))
    assert refused.said["answer"] == "rejected"
    side = hub.side(LOCAL.agent)
    head = side.hub.refresh()
    commit = next_commit(side, head, "Plans/p.md")
    assert side.hub.publish(commit, onto=head) == Accepted(commit)
    state.unlink()


# What kills leave behind.


def litter(repository: Path) -> list[Path]:
    """What a killed hub, a killed git and a killed push leave."""
    left = [
        repository / "refs" / "heads" / "main.lock", repository / "packed-refs.lock", repository / "HEAD.lock",
        repository / "objects" / "tmp_obj_x", repository / "objects" / "pack" / "tmp_pack_x",
        repository / "objects" / "pack" / ".tmp-1-pack-x.idx",
        repository / "objects" / "push-x" / "quarantine.git" / "HEAD",
        repository / "objects" / "info" / "commit-graph.lock",
        repository / "objects" / "pack" / "multi-pack-index.lock",
    ]  # fmt: skip
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return left


def test_what_a_kill_left_is_cleared_at_the_start(hub: HubWorld) -> None:
    hub.begin()
    hub.running.stop()
    left = litter(hub.running.repository)
    lone = hub.running.repository / "objects" / "pack" / f"pack-{'1' * 40}.pack"
    lone.write_bytes(b"x")

    hub.running.start()

    assert [path for path in left if path.exists()] == []
    assert not (hub.running.repository / "objects" / "push-x").exists()
    assert lone.exists(), "a repack that outlived the hub may be about to give it its index"
    os.utime(lone, (0, 0))
    hub.running.stop()
    hub.running.start()
    assert not lone.exists()


def test_while_it_runs_only_what_is_old_is_cleared_and_of_the_locks_those_of_a_tidying_that_ended(
    hub: HubWorld,
) -> None:
    hub.begin()
    repository = hub.running.repository
    left = litter(repository)

    fresh = holding.clear_old(repository)
    assert sorted(fresh) == ["objects/info/commit-graph.lock", "objects/pack/multi-pack-index.lock"]
    assert holding.clear_old(repository) == ()
    old = holding.clear_old(repository, now=left[0].stat().st_mtime + 3601)

    assert sorted(old) == [
        "objects/pack/.tmp-1-pack-x.idx",
        "objects/pack/tmp_pack_x",
        "objects/push-x",
        "objects/tmp_obj_x",
    ]
    assert [path for path in left if path.exists()] == left[:3]


def test_a_lock_that_a_killed_tidying_left_stops_no_later_one(hub: HubWorld) -> None:
    hub.begin()
    info = hub.running.repository / "objects" / "info"
    info.mkdir(exist_ok=True)
    (info / "commit-graph.lock").write_bytes(b"half a gra")

    assert asyncio.run(Maintenance(hub.running.repository, Metrics(), every=3600).once())

    assert (info / "commit-graph").exists()
    assert remote.fsck(hub.running.repository) == ()


def test_a_lock_left_on_the_head_while_it_runs_holds_up_one_publish_and_no_more(
    hub: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault_hub.objects.LOCK_PATIENCE", 0.05)
    first = hub.begin()
    (hub.running.repository / "refs" / "heads" / "main.lock").write_bytes(b"")
    second = hub.author.commit(LOCAL, {"Plans/p.md": b"x\n"})

    assert hub.publish(LOCAL.agent, second).said["answer"] == "accepted"
    assert on_disk(hub) == [first, second]


def test_maintenance_runs_beside_publishes_and_keeps_everything(hub: HubWorld) -> None:
    hub.running.stop()
    hub.running.changes = {"maintenance_seconds": 0.3}
    hub.running.start()
    first, began = hub.begin(), hub.metric("countersign_hub_maintenance_timestamp_seconds")
    assert began > time.time() - 60, "nobody is alarmed before the first round is due"
    line = [first]

    def maintained() -> bool:
        line.append(hub.author.commit(LOCAL, {f"Plans/{len(line)}.md": b"x\n"}))
        assert hub.publish(LOCAL.agent, line[-1]).said["answer"] == "accepted"
        return hub.metric("countersign_hub_maintenance_timestamp_seconds") > began and len(line) > 50

    eventually(maintained, "a round of maintenance ended well")

    assert on_disk(hub) == line
    assert remote.fsck(hub.running.repository) == ()
    journal = Journal(*_fresh(hub), LOCAL, hub.clock, trust=TRUST)
    assert journal.refresh() == line[-1]


def _fresh(hub: HubWorld) -> tuple[Any, HubClient]:
    side = hub.side(LOCAL.agent, "fresh")
    return side.store, side.hub
