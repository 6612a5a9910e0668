"""Cloud's credential in a thief's hands, at a real hub: over HTTP and by git push, none of it is accepted."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, OTHER

from tests.adversary.fuzz import signed, tampered
from tests.adversary.ground import Ground
from tests.adversary.kind import Kind
from tests.adversary.kinds import kinds
from tests.adversary.legal import LEGAL
from tests.adversary.resident import Resident, known_objects, made_by, resident
from tests.adversary.test_kinds import THEMES
from vault_hub.arbiter import Arbiter, Publish, _Stage
from vault_protocol import remote, wire
from vault_protocol.changeset import BadChangeset
from vault_protocol.errors import Refused, UntrustedHead
from vault_protocol.follow import Follower, View
from vault_protocol.hub import CommitId, MovedOn
from vault_protocol.task import AgentId

UNPACKED = {"header", "mode", "name", "objects", "tree"}
"""Rules that git itself knows something of; it does not say them in our words."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, ground: Ground) -> Iterator[Resident]:
    with resident(tmp_path_factory.mktemp("resident") / "hub", ground) as found:
        yield found


@pytest.fixture(scope="module")
def known(ground: Ground) -> set[str]:
    return known_objects(ground)


def signer(ground: Ground, head: CommitId) -> str:
    """Whose credential it goes in by: the author's, for what is right; a thief has Cloud's."""
    return ground.store.history(None, head)[-1].author


@pytest.mark.parametrize("theme", THEMES)
def test_no_kind_of_bad_commit_gets_in_over_http(theme: str, hub: Resident, ground: Ground) -> None:
    wrong, said = {}, 0
    for kind in THEMES[theme].kinds():
        head = kind.make(ground)
        found = hub.publish(head)
        if found is None:
            continue
        said += 1
        if not is_of(kind, found):
            wrong[kind.name] = (found, kind.rule)
        assert hub.head == ground.head, kind.name
    assert wrong == {}
    assert hub.is_well()
    assert said or theme == "objects"


def is_of(kind: Kind, found: str) -> bool:
    """Whether it was refused by its rule. What another signed is not even looked at further."""
    return found == kind.rule or (kind.name in OWNERS and found == "author")


OWNERS = {"the owner's commit a second time", "another agent's commit taken back and put on again"}


@pytest.mark.parametrize("theme", THEMES)
def test_no_kind_of_bad_commit_gets_in_by_git_push(theme: str, hub: Resident, ground: Ground, known: set[str]) -> None:
    wrong = {}
    for kind in THEMES[theme].kinds():
        head = kind.make(ground)
        found = hub.push(head, made_by(ground, head, known))
        if not is_of(kind, found) and not (found == "unpacker error" and kind.rule in UNPACKED):
            wrong[kind.name] = (found, kind.rule)
        assert hub.head == ground.head, kind.name
    assert wrong == {}
    assert hub.is_well()
    assert not list((hub.running.repository / "objects").glob("push-*"))


def test_there_are_more_kinds_than_a_hundred() -> None:
    assert len(kinds()) >= 100


@pytest.mark.parametrize("way", ["http", "push"])
def test_what_is_right_is_taken_however_it_comes(way: str, ground: Ground, known: set[str], tmp_path: Path) -> None:
    refused = {}
    for name, kind in LEGAL.items():
        head = kind.make(ground)
        if len({commit.author for commit in ground.store.history(ground.head, head)}) > 1:
            continue  # what two agents signed, each publishes for itself
        with resident(tmp_path / "hub", ground) as hub:
            who = signer(ground, head)
            objects = made_by(ground, head, known)
            found = hub.publish(head, who) if way == "http" else hub.push(head, objects, who)
            if found != "" or hub.head != head:
                refused[name] = found
            assert remote.fsck(hub.running.repository) == ()
    assert refused == {}


def test_after_everything_others_go_on(hub: Resident, ground: Ground) -> None:
    plan = ground.commit(ground.write({"Plans/email/plan-other.md": b"- [ ] go on\n"}), who=OTHER)
    assert hub.publish(plan, OTHER.agent) == ""
    assert hub.head == plan
    assert remote.fsck(hub.running.repository) == ()


# The hub's verdict beside a follower's, over thousands of mutations.


def decided(hub: Resident, head: CommitId) -> str | None:
    """What the arbiter says of it, with nothing written; None when it cannot be said over HTTP."""
    parcels = hub.parcels(head)
    if not parcels or any(parcel.modes for parcel in parcels):
        return None
    assert hub.running.hub is not None
    arbiter: Arbiter = hub.running.hub.arbiter
    view, objects = arbiter._follower.view, arbiter._objects
    parcels = [wire.unpacked(wire.packed(parcel)) for parcel in parcels]
    stage = _Stage(view.head, ChainMap({}, view.where), ChainMap({}, view.trails))
    try:
        answer = arbiter._decide(Publish(AgentId(CLOUD.agent), parcels, view.head, True, lambda said: None), stage)()
        return "moved on" if isinstance(answer, MovedOn) else ""
    except (Refused, BadChangeset, UntrustedHead) as error:
        return getattr(error, "rule", "objects")
    finally:
        objects.drop()


def alike(hub: Resident, ground: Ground, seen: View, seeds: range) -> Counter[str]:
    """Whatever the hub would make the head, every follower applies."""
    verdicts: Counter[str] = Counter()
    for seed in seeds:
        for kind in (signed(seed), tampered(seed)):
            head = kind.make(ground)
            found = decided(hub, head)
            verdicts["not sayable" if found is None else found] += 1
            if found == "":
                follower = Follower(ground.store, made.VAULT, made.TRUST)
                follower.view = View(seen.head, dict(seen.where), dict(seen.trails))
                follower.advance(head)
    return verdicts


@pytest.fixture
def untouched(tmp_path: Path, ground: Ground) -> Iterator[Resident]:
    with resident(tmp_path / "hub", ground) as found:
        yield found


def test_what_the_hub_would_accept_every_follower_applies(untouched: Resident, ground: Ground, seen: View) -> None:
    verdicts = alike(untouched, ground, seen, range(300))
    assert verdicts[""] > 20, verdicts
    assert len(verdicts) >= 12, verdicts


@pytest.mark.prove
def test_what_the_hub_would_accept_every_follower_applies_in_ten_thousand(
    untouched: Resident, ground: Ground, seen: View
) -> None:
    assert alike(untouched, ground, seen, range(1_000, 6_000))[""] > 300


# Requests of any bytes.


def garbled(body: bytes, rng: Random) -> bytes:
    raw = bytearray(body)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at, way = rng.randrange(len(raw) + 1), rng.randrange(6)
        if way == 0 and at < len(raw):
            raw[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            del raw[at : at + rng.choice((1, 3, 40))]
        elif way == 2:
            raw[at:at] = rng.randbytes(rng.choice((1, 4, 50)))
        elif way == 3:
            raw[at:at] = rng.choice(PIECES)
        elif way == 4:
            del raw[at:]
        else:
            other = rng.randrange(len(raw) + 1)
            raw[at:at] = raw[other : other + 30]
        if not raw:
            raw = bytearray(b"x")
    return bytes(raw)


PIECES = (
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b"null", b"true", b"1e999", b"-0", b"NaN", b'"\\ud800"', b"\\u0000",
    b'"parent":', b'"edits":[]', b'"onto":null', b'"exact":true', b"[" * 500, b"9" * 5000, b'"base64","AAAA"',
    b"\0", b"\xff\xfe", b"0000", b"ffff", b"PACK", b"../", b".git", b" ", b"\r\n", b"4000",
)  # fmt: skip
PATHS = ("/v1/publish", "/v1/publish", "/v1/changes", "/vault.git/git-receive-pack", "/vault.git/git-upload-pack")


def test_two_thousand_requests_of_any_bytes_change_nothing_and_stop_nobody(untouched: Resident, ground: Ground) -> None:
    hub, rng = untouched, Random(7)
    right = {name: kind.make(ground) for name, kind in list(LEGAL.items())[:6]}
    bodies = [
        wire.dumped({"onto": ground.head, "commits": [wire.packed(one) for one in hub.parcels(head)]})
        for head in right.values()
    ]
    command = f"{ground.head} {ground.head} refs/heads/main\0report-status\n".encode()
    pushes = [b"%04x%s0000" % (len(command) + 4, command) + rng.randbytes(60)]
    landed, statuses = {ground.head, *right.values()}, Counter[int]()
    for number in range(2_000):
        path = rng.choice(PATHS)
        if "/vault.git/" in path and number % 8:
            path = "/v1/publish"
        body = garbled(rng.choice(pushes if "vault.git" in path else bodies), rng)
        status, _ = hub.ask(path, body)
        statuses[status] += 1
        assert hub.head in landed, f"request {number}"
        assert status != 500, f"request {number}"
    assert hub.is_well()
    assert statuses[400] > 500, statuses
    assert hub.running.hub is not None
    assert hub.running.hub.arbiter.bug is None
    assert b'rule="internal"' not in hub.running.hub.metrics.text()
    assert remote.fsck(hub.running.repository) == ()
