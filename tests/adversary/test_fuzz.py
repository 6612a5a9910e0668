"""Mutated commits: what is accepted of them is what Cloud may do, as git shows it. A seed that fails is named."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from libs.vault_protocol.tests import made

from tests.adversary.fuzz import draft_of, signed, tampered
from tests.adversary.ground import Ground
from tests.adversary.kind import rule_of
from tests.adversary.legal import LEGAL
from tests.adversary.reckoning import faults, fsck, git
from tests.adversary.test_kinds import local
from vault_protocol.errors import UntrustedHead
from vault_protocol.follow import View
from vault_protocol.hub import CommitId

SEEDS = 1_000
"""Of each of the two kinds of mutation."""


def verdict(ground: Ground, seen: View, head: CommitId) -> str:
    try:
        local(ground, seen).advance(head)
    except UntrustedHead as error:
        return rule_of(error)
    return ""


def tampering(ground: Ground, seen: View, seeds: range) -> Counter[str]:
    """Nobody on the way changes what an agent signed: not the tree, not the trailers, not the order."""
    originals = [draft_of(ground, kind.make(ground)) for kind in LEGAL.values()]
    trailers = {(one.tree, one.parents, one.message.partition(b"\n")[2]) for one in originals}
    verdicts: Counter[str] = Counter()
    for seed in seeds:
        head = tampered(seed).make(ground)
        rule = verdict(ground, seen, head)
        verdicts[rule] += 1
        if not rule:
            taken = draft_of(ground, head)
            assert (taken.tree, taken.parents, taken.message.partition(b"\n")[2]) in trailers, f"seed {seed}"
    return verdicts


def insiders(ground: Ground, seen: View, seeds: range, empty: Path) -> Counter[str]:
    """Whatever Cloud signs, it does not get out of its zone."""
    verdicts: Counter[str] = Counter()
    taken: list[CommitId] = []
    for seed in seeds:
        head = signed(seed).make(ground)
        rule = verdict(ground, seen, head)
        verdicts[rule] += 1
        if not rule:
            taken.append(head)
            line = [ground.head, *(commit.id for commit in ground.store.history(ground.head, head))]
            for parent, commit in pairwise(line):
                if git(ground, "show", "-s", "--format=%an", commit).strip() == b"cloud-1":
                    assert faults(ground, commit, parent=parent) == [], f"seed {seed}"
    fsck(ground, taken, empty)
    return verdicts


def test_nothing_that_was_changed_on_the_way_is_applied(ground: Ground, seen: View) -> None:
    verdicts = tampering(ground, seen, range(SEEDS))
    assert verdicts[""] < SEEDS // 10
    assert len(verdicts) >= 7, verdicts


def test_nothing_that_cloud_signs_leaves_its_zone(ground: Ground, seen: View, tmp_path: Path) -> None:
    verdicts = insiders(ground, seen, range(SEEDS), tmp_path / "empty.git")
    assert SEEDS // 20 < verdicts[""] < SEEDS // 2, verdicts
    assert len(verdicts) >= 12, verdicts


@pytest.mark.prove
def test_nothing_changed_or_signed_gets_through_in_ten_thousand(ground: Ground, seen: View, tmp_path: Path) -> None:
    tampering(ground, seen, range(SEEDS, 6_000))
    insiders(ground, seen, range(SEEDS, 6_000), tmp_path / "empty.git")


def test_the_vault_of_the_mutations_is_the_one_of_the_kinds(ground: Ground) -> None:
    assert faults(ground, LEGAL["a claim"].make(ground), parent=ground.head) == []
    assert ground.me.vault == made.VAULT
