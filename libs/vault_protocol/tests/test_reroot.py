"""A new root is followed when the owner's pinned key signed it for this vault, this tree and a later generation."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.attacks import WAITS, unsigned
from libs.vault_protocol.tests.made import CLOUD, LOCAL, OTHER, OWNER_KEY, Author
from libs.vault_protocol.tests.rooting import OWNER, new_root, owner_roots

from vault_protocol import approval, doctor, notes, reroot, sshsig
from vault_protocol.changeset import Trail
from vault_protocol.errors import HubRewritten, UntrustedHead
from vault_protocol.follow import Follower, Trust
from vault_protocol.hub import Commit, CommitId
from vault_protocol.reroot import BadRoot, SignedRoot


@pytest.fixture
def author(tmp_path: Path) -> Author:
    author = made.author_in(tmp_path / "store.git")
    author.move(LOCAL, None, WAITS)
    author.commit(CLOUD, {"Plans/p.md": b"x"})
    return author


@pytest.fixture(params=[made.TRUST, None], ids=["judging", "not judging"])
def follower(author: Author, request: pytest.FixtureRequest) -> Follower:
    trust: Trust | None = request.param
    follower = Follower(author.store, made.VAULT, trust, owner=OWNER)
    follower.advance(author.head)
    return follower


def test_a_new_root_after_a_bad_head_is_followed_and_every_agent_goes_on_from_its_trail(
    author: Author, follower: Follower
) -> None:
    good, trails = author.head, dict(author.trails)
    assert good is not None
    unsigned(author)
    root = new_root(author.store, good, trails)

    follower.advance(root)

    assert (follower.view.head, follower.view.generation) == (root, 1)
    assert follower.view.trails == trails
    assert follower.view.where == {WAITS.id: notes.write(WAITS)[0]}
    author.head = root
    mine = author.move(CLOUD, WAITS, made.in_progress(CLOUD, 1))
    follower.advance(mine)
    assert (follower.view.head, follower.view.generation) == (mine, 1)


def test_a_follower_that_was_away_for_several_new_roots_takes_the_last(author: Author, follower: Follower) -> None:
    assert author.head is not None
    first = new_root(author.store, author.head, author.trails)
    third = new_root(author.store, first, author.trails, generation=3)

    follower.advance(third)

    assert follower.view.generation == 3


def test_a_first_run_begins_at_the_new_root(author: Author) -> None:
    assert author.head is not None
    author.head = new_root(author.store, author.head, author.trails)
    head = author.commit(OTHER, {"Plans/q.md": b"x"})
    follower = Follower(author.store, made.VAULT, made.TRUST, owner=OWNER)

    follower.advance(head)

    assert (follower.view.head, follower.view.generation) == (head, 1)


def test_after_a_new_root_a_gap_in_a_trail_is_still_refused(author: Author) -> None:
    follower = Follower(author.store, made.VAULT, made.TRUST, owner=OWNER)
    assert author.head is not None
    author.head = new_root(author.store, author.head, {**author.trails, CLOUD.agent: Trail(7, "a" * 64)})
    follower.advance(author.head)

    with pytest.raises(UntrustedHead, match="does not follow 7"):
        follower.advance(author.commit(CLOUD, {"Plans/q.md": b"x"}))


def refused(follower: Follower, root: CommitId, why: str) -> None:
    """It stays where it is, says why, and does so again."""
    stood = replace(follower.view)
    for _ in range(2):
        with pytest.raises(HubRewritten, match=why):
            follower.advance(root)
        assert follower.view == stood


def test_a_replayed_older_new_root_is_refused(author: Author, follower: Follower) -> None:
    assert author.head is not None
    first = new_root(author.store, author.head, author.trails)
    second = new_root(author.store, first, author.trails, generation=2)
    follower.advance(second)

    refused(follower, first, "generation 1 is past; this vault is in generation 2")


def test_a_second_new_root_of_the_same_generation_is_refused(author: Author, follower: Follower) -> None:
    assert author.head is not None
    follower.advance(new_root(author.store, author.head, author.trails))

    refused(follower, new_root(author.store, author.head, author.trails, reason="another"), "generation 1 is past")


def test_a_new_root_of_another_vault_is_refused(author: Author, follower: Follower) -> None:
    assert author.head is not None
    root = new_root(author.store, author.head, author.trails, vault="vault-2")

    refused(follower, root, "it is for vault vault-2, this is vault-1")


def test_a_new_root_by_another_key_is_refused(author: Author, follower: Follower) -> None:
    assert author.head is not None
    root = new_root(
        author.store, author.head, author.trails, sign=lambda m: sshsig.sign(CLOUD.key, m, namespace=reroot.NAMESPACE)
    )

    refused(follower, root, "made with another key")


def test_a_signature_given_for_approvals_makes_no_new_root(author: Author, follower: Follower) -> None:
    assert author.head is not None
    root = new_root(
        author.store, author.head, author.trails, sign=lambda m: sshsig.sign(OWNER_KEY, m, namespace=approval.NAMESPACE)
    )

    refused(follower, root, "made for 'approval@countersign'")


def test_a_statement_over_a_tree_that_is_not_the_commits_is_refused(author: Author, follower: Follower) -> None:
    assert author.head is not None
    good = author.head
    message = author.store.history(None, new_root(author.store, good, author.trails))[0].message
    other = author.store.commit(good, {"Dashboard.md": b"x"}, message="x", author=LOCAL.agent, at=made.NOW)
    swapped = author.store.root(other, message=message, author=LOCAL.agent, at=made.NOW)

    refused(follower, swapped, "the owner signed tree")


def test_without_a_pinned_key_of_the_owner_no_new_root_is_followed(author: Author) -> None:
    assert author.head is not None
    follower = Follower(author.store, made.VAULT)
    follower.advance(author.head)

    refused(follower, new_root(author.store, author.head, author.trails), "no key of the owner is pinned")


def test_a_changed_word_in_the_statement_breaks_the_signature(author: Author, follower: Follower) -> None:
    assert author.head is not None
    root = new_root(author.store, author.head, author.trails)
    message = author.store.history(None, root)[0].message.replace("a bad head", "a mad head")
    forged = author.store.root(author.head, message=message, author=LOCAL.agent, at=made.NOW)

    refused(follower, forged, "does not fit these bytes")


def test_a_new_root_with_a_parent_is_judged_like_any_commit(author: Author) -> None:
    follower = Follower(author.store, made.VAULT, made.TRUST, owner=OWNER)
    follower.advance(author.head)
    assert author.head is not None
    message = author.store.history(None, new_root(author.store, author.head, author.trails))[0].message
    on_top = author.store.commit(author.head, {}, message=message, author=LOCAL.agent, at=made.NOW)
    with pytest.raises(UntrustedHead, match="not signed"):
        follower.advance(on_top)


SPELLINGS = {
    "spaces": lambda m: m.replace('":', '": ', 1),
    "a key twice": lambda m: m.replace('{"at"', '{"generation":9,"at"', 1),
    "words before": lambda m: "x" + m,
    "words after": lambda m: m + "x",
    "another context": lambda m: m.replace("reroot v1", "approval v1"),
    "a field more": lambda m: m.replace('{"at"', '{"also":1,"at"', 1),
    "cut short": lambda m: m[: len(m) // 2],
    "nothing": lambda m: "re-root: x",
}  # fmt: skip


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_a_statement_in_another_spelling_does_not_parse(spell: Any, author: Author) -> None:
    assert author.head is not None
    message = author.store.history(None, new_root(author.store, author.head, author.trails))[0].message
    assert reroot.parse(message).message() == message

    with pytest.raises(BadRoot) as refusal:
        reroot.parse(spell(message))
    assert refusal.value.rule == "form"


@pytest.mark.parametrize("reason", ["", "two\nlines", "hid\u200bden", "x" * 301])
def test_a_reason_is_one_line_that_shows(reason: str) -> None:
    with pytest.raises(ValueError, match="reason"):
        owner_roots(CommitId("a" * 40), "b" * 40, {}, reason=reason)


def test_ssh_keygen_verifies_a_statement_as_it_stands_in_the_message(tmp_path: Path) -> None:
    signed = owner_roots(CommitId("a" * 40), "b" * 40, {LOCAL.agent: Trail(3, "c" * 64)})
    _, body, signature = signed.message().split("\n\n", 2)
    (tmp_path / "sig").write_text(signature, encoding="ascii")
    (tmp_path / "allowed").write_text(f"owner {OWNER.line()}\n", encoding="ascii")
    argv = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "allowed"), "-I", "owner", "-n", reroot.NAMESPACE]
    try:
        done = subprocess.run([*argv, "-s", str(tmp_path / "sig")], input=body.encode(), check=False, timeout=20)
    except FileNotFoundError:
        pytest.skip("ssh-keygen is not installed")
    assert done.returncode == 0


def test_verify_needs_nothing_but_the_commit_its_tree_and_the_key(author: Author) -> None:
    """What a resident hub calls before it swaps."""
    signed = owner_roots(CommitId("a" * 40), "b" * 40, {CLOUD.agent: Trail(3, "c" * 64)}, generation=4)
    commit = Commit(CommitId("d" * 40), (), signed.message(), "local", made.NOW)

    statement = reroot.verify(commit, "b" * 40, key=OWNER, vault=made.VAULT, after=3)

    assert statement.going_on == {CLOUD.agent: Trail(3, "c" * 64)}
    with pytest.raises(BadRoot) as refusal:
        reroot.verify(replace(commit, parents=(CommitId("e" * 40),)), "b" * 40, key=OWNER, vault=made.VAULT, after=3)
    assert refusal.value.rule == "parent"


def test_the_signed_bytes_are_the_documented_ones() -> None:
    signed: SignedRoot = owner_roots(CommitId("a" * 40), "b" * 40, {LOCAL.agent: Trail(3, "c" * 64)})
    context, _, fields = signed.statement.signed_bytes().decode().partition("\n")

    assert context == "countersign reroot v1"
    assert json.loads(fields) == {
        "vault": "vault-1", "generation": 1, "left": "a" * 40, "tree": "b" * 40, "trails": {"local": [3, "c" * 64]},
        "reason": "a bad head", "by": "Ann", "at": "2026-11-23T09:00:00Z", "policy": 1,
    }  # fmt: skip


def test_a_restart_remembers_the_generation(author: Author, tmp_path: Path) -> None:
    assert author.head is not None
    first = new_root(author.store, author.head, author.trails)
    Follower(author.store, made.VAULT, made.TRUST, tmp_path / "c", owner=OWNER).advance(first)
    again = Follower(author.store, made.VAULT, made.TRUST, tmp_path / "c", owner=OWNER)
    again.advance(first)

    refused(again, new_root(author.store, author.head, author.trails, reason="other"), "generation 1 is past")


def test_a_clone_that_lost_the_line_it_followed_still_takes_the_new_root(author: Author, tmp_path: Path) -> None:
    """After an erasure the old commits are gone from the hub, and a fresh clone never gets them."""
    assert author.head is not None
    Follower(author.store, made.VAULT, made.TRUST, tmp_path / "c", owner=OWNER).advance(author.head)
    fresh = made.author_in(tmp_path / "fresh.git")
    fresh.move(LOCAL, None, WAITS)
    assert fresh.head is not None
    root = new_root(fresh.store, fresh.head, author.trails)
    follower = Follower(fresh.store, made.VAULT, made.TRUST, tmp_path / "c", owner=OWNER)

    follower.advance(root)

    assert follower.view.where == {WAITS.id: notes.write(WAITS)[0]}


def test_the_doctor_walks_from_the_new_root_and_finds_nothing(author: Author) -> None:
    assert author.head is not None
    author.head = new_root(author.store, author.head, author.trails)
    head = author.move(CLOUD, WAITS, made.in_progress(CLOUD, 1))

    assert doctor.examine(author.store, head, trust=made.TRUST, approval_key=OWNER) == ()
    assert doctor.examine(author.store, head) == ()


def test_the_doctor_names_a_root_that_the_owner_did_not_sign(author: Author) -> None:
    assert author.head is not None
    root = new_root(
        author.store, author.head, author.trails, sign=lambda m: sshsig.sign(CLOUD.key, m, namespace=reroot.NAMESPACE)
    )

    (found,) = doctor.examine(author.store, root, trust=made.TRUST, approval_key=OWNER)
    assert (found.invariant, found.path) == ("I3", root)
    assert "signature" in found.what
