"""Publish: what goes in, onto which head, in which groups, and what becomes of an answer that was lost."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, LOCAL, OTHER
from services.vault_hub.tests.conftest import Start
from services.vault_hub.tests.hubworld import HubWorld, packed, signed

from vault_protocol import changeset, notes, remote, wire
from vault_protocol.changeset import Trail
from vault_protocol.hub import Accepted, CommitId, MovedOn, Rejected
from vault_protocol.store import GitStore
from vault_protocol.task import Stage


def on_disk(hub: HubWorld) -> list[CommitId]:
    """The line as the repository has it, oldest first."""
    store = GitStore(hub.running.repository)
    head = store.ref("refs/heads/main")
    return [commit.id for commit in store.history(None, head)] if head else []


def test_what_is_accepted_is_the_head_on_disk_and_the_very_commit(hub: HubWorld) -> None:
    first = hub.begin()
    second = hub.author.commit(CLOUD, {"Plans/p.md": b"- [ ] x\n"})

    answer = hub.publish(CLOUD.agent, second)

    assert (answer.said["answer"], answer.said["commit"], answer.said["head"]) == ("accepted", second, second)
    assert on_disk(hub) == [first, second]
    assert remote.fsck(hub.running.repository) == ()


def test_whoever_is_behind_is_told_what_it_takes_to_catch_up(hub: HubWorld) -> None:
    first = hub.begin()
    mine = signed(CLOUD, hub.store, first, {"Plans/p.md": b"mine\n"})
    theirs = hub.author.commit(LOCAL, {"Plans/p.md": b"theirs\n"})
    hub.publish(LOCAL.agent, theirs)

    answer = hub.publish(CLOUD.agent, mine)

    assert (answer.said["answer"], answer.said["head"], answer.said["more"]) == ("moved_on", theirs, False)
    assert [wire.unpacked(one) for one in answer.said["commits"]] == [wire.unpacked(packed(hub.store, theirs))]
    assert on_disk(hub) == [first, theirs]


def test_a_commit_goes_onto_a_newer_head_when_nobody_touched_its_paths(hub: HubWorld) -> None:
    first = hub.begin()
    mine = signed(CLOUD, hub.store, first, {"Plans/mine.md": b"mine\n"})
    theirs = hub.author.commit(LOCAL, {"Plans/theirs.md": b"theirs\n"})
    hub.publish(LOCAL.agent, theirs)

    answer = hub.publish(CLOUD.agent, mine)

    landed = answer.said["commit"]
    assert answer.said["answer"] == "accepted"
    assert landed != mine
    assert on_disk(hub) == [first, theirs, landed]
    store = GitStore(hub.running.repository)
    assert store.message(landed) == hub.store.message(mine)
    assert store.read(landed, "Plans/theirs.md") == b"theirs\n"
    assert [one["id"] for one in answer.said["commits"]] == [theirs, landed]


@pytest.mark.parametrize("theirs", [b"theirs\n", None], ids=["changed", "taken out"])
def test_a_commit_whose_path_was_touched_does_not_go_onto_a_newer_head(hub: HubWorld, theirs: bytes | None) -> None:
    hub.begin()
    second = hub.author.commit(LOCAL, {"Plans/p.md": b"as it was\n"})
    hub.publish(LOCAL.agent, second)
    mine = signed(CLOUD, hub.store, second, {"Plans/p.md": b"mine\n"})
    third = hub.author.commit(LOCAL, {"Plans/p.md": theirs})
    hub.publish(LOCAL.agent, third)

    assert hub.publish(CLOUD.agent, mine).said["answer"] == "moved_on"
    assert hub.head == third


def test_a_path_touched_and_put_back_is_as_it_was(hub: HubWorld) -> None:
    hub.begin()
    second = hub.author.commit(LOCAL, {"Plans/p.md": b"as it was\n"})
    mine = signed(CLOUD, hub.store, second, {"Plans/p.md": b"mine\n"})
    line = [
        second,
        hub.author.commit(LOCAL, {"Plans/p.md": b"other\n"}),
        hub.author.commit(LOCAL, {"Plans/p.md": b"as it was\n"}),
    ]
    for commit in line:
        hub.publish(LOCAL.agent, commit)

    assert hub.publish(CLOUD.agent, mine).said["answer"] == "accepted"


def test_exact_is_the_very_head_or_nothing(hub: HubWorld) -> None:
    first = hub.begin()
    mine = signed(CLOUD, hub.store, first, {"Plans/mine.md": b"mine\n"})
    hub.publish(LOCAL.agent, hub.author.commit(LOCAL, {"Plans/theirs.md": b"theirs\n"}))

    assert hub.publish(CLOUD.agent, mine, exact=True).said["answer"] == "moved_on"
    assert hub.publish(CLOUD.agent, mine, exact=False).said["answer"] == "accepted"


def test_a_commit_made_on_a_head_the_hub_never_had_is_not_put_on_its_own(hub: HubWorld) -> None:
    first = hub.begin()
    nowhere = hub.author.commit(LOCAL, {"Plans/lost.md": b"lost\n"})
    mine = signed(CLOUD, hub.store, nowhere, {"Plans/mine.md": b"mine\n"})

    answer = hub.publish(CLOUD.agent, mine)

    assert (answer.said["answer"], answer.said["head"]) == ("moved_on", first)
    assert on_disk(hub) == [first]


def test_a_line_of_commits_goes_in_by_one_swap(hub: HubWorld) -> None:
    first = hub.begin()
    line = [hub.author.commit(LOCAL, {f"Plans/{number}.md": b"x\n"}) for number in range(5)]
    groups = hub.metric("countersign_hub_groups_total")

    answer = hub.publish(LOCAL.agent, *line)

    assert answer.said["answer"] == "accepted"
    assert on_disk(hub) == [first, *line]
    assert hub.metric("countersign_hub_groups_total") - groups == 1
    assert hub.metric("countersign_hub_commits_total") == 6


def test_of_a_line_with_one_bad_commit_none_goes_in(hub: HubWorld) -> None:
    first = hub.begin()
    good = [hub.author.commit(CLOUD, {f"Plans/{number}.md": b"x\n"}) for number in range(3)]
    bad = hub.author.commit(CLOUD, {"Dashboard.md": b"mine\n"})
    last = hub.author.commit(CLOUD, {"Plans/last.md": b"x\n"})

    answer = hub.publish(CLOUD.agent, *good, bad, last)

    assert (answer.said["rule"], answer.said["path"]) == ("zone", "Dashboard.md")
    assert on_disk(hub) == [first]
    assert hub.publish(CLOUD.agent, *good).said["answer"] == "accepted", "what was refused left nothing behind"
    assert remote.fsck(hub.running.repository) == ()


def test_a_line_with_a_gap_or_out_of_order_is_refused(hub: HubWorld) -> None:
    first = hub.begin()
    one, two, three = (hub.author.commit(CLOUD, {f"Plans/{number}.md": b"x\n"}) for number in range(3))
    a, b, c = (packed(hub.store, commit) for commit in (one, two, three))

    for line in ([a, c], [b, a], [a, a], [a, b, b]):
        answer = hub.ask(CLOUD.agent, "/v1/publish", {"onto": first, "commits": line})
        assert (answer.said["answer"], answer.said["rule"]) == ("rejected", "form")
    assert on_disk(hub) == [first]


def test_a_commit_that_is_not_what_its_parts_make_is_refused(hub: HubWorld) -> None:
    first = hub.begin()
    commit = packed(hub.store, hub.author.commit(CLOUD, {"Plans/p.md": b"x\n"}))

    for lie in ({"id": "1" * 40}, {"at": commit["at"] + 1}):
        answer = hub.ask(CLOUD.agent, "/v1/publish", {"onto": first, "commits": [{**commit, **lie}]})
        assert (answer.said["answer"], answer.said["rule"]) == ("rejected", "form")
    for lie, rule in (
        ({"edits": [["Plans/p.md", "y\n"]]}, "signature"),
        ({"edits": [*commit["edits"], ["Plans/q.md", "y\n"]]}, "signature"),
        ({"edits": []}, "form"), ({"author": "cloud-2"}, "author"), ({"author": "No Agent"}, "author"),
        ({"message": "no trailer"}, "trailers"), ({"message": "\n" + commit["message"]}, "trailers"),
        ({"message": commit["message"] + "\0"}, "trailers"),
        ({"message": commit["message"] + "x" * 20_000}, "trailers"),
        ({"at": -1}, "time"),
    ):  # fmt: skip
        answer = hub.ask(CLOUD.agent, "/v1/publish", {"onto": first, "commits": [{**commit, **lie}]})
        assert (answer.said["answer"], answer.said["rule"]) == ("rejected", rule), lie
    assert on_disk(hub) == [first]


def test_what_would_take_a_follower_too_long_to_compare_is_refused(hub: HubWorld) -> None:
    first = hub.begin()
    paths = {f"Plans/{number}.md": b"x" for number in range(10_001)}
    folders = {f"Plans/{number}/p.md": b"x" for number in range(5_001)}
    for edits in (paths, folders):
        answer = hub.publish(CLOUD.agent, signed(CLOUD, hub.store, first, edits))
        assert (answer.said["answer"], answer.said["rule"]) == ("rejected", "size")
    assert on_disk(hub) == [first]


def test_a_publish_again_after_its_answer_was_lost_is_accepted_and_changes_nothing(hub: HubWorld) -> None:
    first = hub.begin()
    mine = hub.author.commit(CLOUD, {"Plans/p.md": b"x\n"})

    for _ in range(3):
        answer = hub.publish(CLOUD.agent, mine)
        assert (answer.said["answer"], answer.said["commit"]) == ("accepted", mine)
    theirs = hub.author.commit(LOCAL, {"Plans/theirs.md": b"x\n"})
    hub.publish(LOCAL.agent, theirs)
    again = hub.publish(CLOUD.agent, mine)

    assert (again.said["answer"], again.said["commit"], again.said["head"]) == ("accepted", mine, theirs)
    assert on_disk(hub) == [first, mine, theirs]


def test_a_publish_again_is_known_under_the_name_it_was_given_and_after_a_restart(hub: HubWorld) -> None:
    first = hub.begin()
    mine = signed(CLOUD, hub.store, first, {"Plans/mine.md": b"mine\n"})
    hub.publish(LOCAL.agent, hub.author.commit(LOCAL, {"Plans/theirs.md": b"theirs\n"}))
    landed = hub.publish(CLOUD.agent, mine).said["commit"]
    line = on_disk(hub)

    hub.running.stop()
    hub.running.start()

    assert hub.publish(CLOUD.agent, mine).said["commit"] == landed
    assert on_disk(hub) == line


def test_a_known_message_over_other_contents_is_not_taken_for_a_repetition(hub: HubWorld) -> None:
    first = hub.begin()
    commit = hub.author.commit(CLOUD, {"Plans/p.md": b"x\n"})
    hub.publish(CLOUD.agent, commit)
    other = {**packed(hub.store, commit), "edits": [["Plans/p.md", "y\n"]]}

    for who, onto in ((CLOUD.agent, first), (OTHER.agent, first), (CLOUD.agent, commit)):
        answer = hub.ask(who, "/v1/publish", {"onto": onto, "commits": [{**other, "parent": onto}]})
        assert answer.said["answer"] in ("rejected", "moved_on")
    assert hub.publish(OTHER.agent, commit).said["answer"] == "moved_on", "it is not this agent's to ask for"
    assert on_disk(hub) == [first, commit]


def test_a_changeset_is_never_taken_twice_or_before_its_turn(hub: HubWorld) -> None:
    first = hub.begin()
    trail = hub.author.trails.get(CLOUD.agent, Trail())
    second = hub.author.commit(CLOUD, {"Plans/p.md": b"x\n"})
    hub.publish(CLOUD.agent, second)
    replayed = signed(CLOUD, hub.store, second, {"Plans/q.md": b"x\n"}, trail)
    early = signed(CLOUD, hub.store, second, {"Plans/q.md": b"x\n"}, Trail(7, "1" * 64))

    for commit in (replayed, early):
        answer = hub.publish(CLOUD.agent, commit)
        assert (answer.said["answer"], answer.said["rule"]) == ("rejected", "sequence")
    assert on_disk(hub) == [first, second]


def test_publishes_that_wait_together_go_in_by_one_swap(hub: HubWorld) -> None:
    """While one is being written, as many as asked meanwhile are the next group."""
    first = hub.begin()
    gate, inside = threading.Event(), threading.Event()

    def step(name: str) -> None:
        if name == "judged" and not inside.is_set():
            inside.set()
            assert gate.wait(20)

    hub.running.stop()
    hub.running.step = step
    hub.running.start()
    commits: dict[str, list[CommitId]] = {}
    for who in (CLOUD, OTHER, LOCAL):
        trail = hub.author.trails.get(who.agent, Trail())
        line: list[CommitId] = []
        for number in range(6):
            line.append(signed(who, hub.store, first, {f"Plans/{who.agent}-{number}.md": b"x\n"}, trail))
            trail = changeset.parse(
                hub.store.message(line[-1]), vault=made.VAULT, changes=hub.store.changes(first, line[-1])
            ).trail
        commits[who.agent] = line
    groups = hub.metric("countersign_hub_groups_total")

    with ThreadPoolExecutor(18) as threads:
        waiting = [threads.submit(hub.publish, CLOUD.agent, commits[CLOUD.agent][0])]
        assert inside.wait(20)
        arbiter = hub.running.hub.arbiter if hub.running.hub else None
        assert arbiter is not None
        for number in range(6):
            for name, made_by in commits.items():
                if (name, number) == (CLOUD.agent, 0):
                    continue
                before = arbiter.length
                waiting.append(threads.submit(hub.publish, name, made_by[number]))
                while arbiter.length == before:
                    pass
        gate.set()
        answers = [one.result() for one in waiting]

    assert {answer.said["answer"] for answer in answers} == {"accepted"}
    assert hub.metric("countersign_hub_groups_total") - groups == 2
    assert len(on_disk(hub)) == 19
    assert remote.fsck(hub.running.repository) == ()
    fresh = hub.vault(CLOUD)
    assert fresh.journal.head == hub.head, "whoever judges the line agrees with every commit of it"


def test_of_many_claims_of_one_task_one_wins(hub: HubWorld) -> None:
    owner = hub.vault(LOCAL)
    owner.add(made.task(1))
    vaults = [hub.vault(CLOUD), hub.vault(OTHER)]

    with ThreadPoolExecutor(2) as threads:
        claimed = [one for one in threads.map(lambda vault: vault.claim_next(made.MAIL), vaults) if one is not None]

    assert len(claimed) == 1
    owner.refresh()
    (task,) = owner.tasks(Stage.IN_PROGRESS)
    assert task.lease is not None
    assert claimed[0].lease is not None
    assert task.lease.owner == claimed[0].lease.owner


def test_what_one_agent_is_refused_holds_up_nobody_of_the_same_group(hub: HubWorld) -> None:
    first = hub.begin()
    sides = [hub.side(who.agent) for who in (CLOUD, OTHER)]
    for side in sides:
        side.hub.refresh()
    bad = signed(CLOUD, sides[0].store, first, {"Dashboard.md": b"mine\n"})
    good = signed(OTHER, sides[1].store, first, {"Plans/p.md": b"x\n"})

    with ThreadPoolExecutor(2) as threads:
        refused = threads.submit(sides[0].hub.publish, bad, onto=first)
        taken = threads.submit(sides[1].hub.publish, good, onto=first)

    assert taken.result() == Accepted(good)
    answer = refused.result()
    assert isinstance(answer, Rejected | MovedOn)
    assert not isinstance(answer, Rejected) or (answer.rule, answer.path) == ("zone", "Dashboard.md")


def test_a_client_that_is_turned_away_at_the_door_is_told_so_for_good(start: Start) -> None:
    hub = start(body_bytes=1 << 16)
    first = hub.begin()
    side = hub.side(CLOUD.agent)
    side.hub.refresh()
    large = signed(CLOUD, side.store, first, {"Plans/p.md": b"x" * (1 << 17)})

    answer = side.hub.publish(large, onto=first)

    assert isinstance(answer, Rejected)
    assert answer.rule == "size"


def test_a_task_of_every_stage_is_kept_in_one_place(hub: HubWorld) -> None:
    hub.begin()
    task = made.task(3)
    added = hub.author.move(CLOUD, None, task)
    hub.publish(CLOUD.agent, added)
    path, content = notes.write(task)

    twice = hub.author.commit(CLOUD, {path.replace("email", "social"): content})

    answer = hub.publish(CLOUD.agent, twice)
    assert (answer.said["answer"], answer.said["rule"]) == ("rejected", "one place")
