"""A follower with pinned keys refuses every kind of bad commit, by its rule, and takes what is right."""

from __future__ import annotations

import pytest
from libs.vault_protocol.tests import made

from tests.adversary import contents, names, objects, owners, signatures, trespasses
from tests.adversary.ground import Ground
from tests.adversary.kind import Kind, rule_of
from tests.adversary.kinds import kinds
from tests.adversary.legal import LEGAL
from vault_protocol.errors import UntrustedHead
from vault_protocol.follow import Follower, View
from vault_protocol.store import GitStore

THEMES = {
    "trespasses": trespasses,
    "names": names,
    "objects": objects,
    "signatures": signatures,
    "contents": contents,
    "owners": owners,
}


def local(ground: Ground, seen: View) -> Follower:
    """Reading anew: what another rule made of these commits is not remembered."""
    follower = Follower(GitStore(ground.store.path), made.VAULT, made.TRUST)
    follower.view = View(seen.head, dict(seen.where), dict(seen.trails))
    return follower


def verdict(kind: Kind, ground: Ground, seen: View) -> str:
    """The rule that refused it, empty when it was applied."""
    follower = local(ground, seen)
    try:
        follower.advance(kind.make(ground))
    except UntrustedHead as error:
        return rule_of(error)
    return ""


@pytest.mark.parametrize("theme", THEMES)
def test_every_kind_of_bad_commit_is_refused_by_its_rule(theme: str, ground: Ground, seen: View) -> None:
    listed = tuple(THEMES[theme].kinds())
    wrong = {kind.name: found for kind in listed if (found := verdict(kind, ground, seen)) != kind.rule}
    assert wrong == {}


def test_the_kinds_are_named_once_each_and_many() -> None:
    named = [kind.name for kind in kinds()]
    assert len(set(named)) == len(named) >= 600


@pytest.mark.parametrize("legal", LEGAL.values(), ids=LEGAL)
def test_what_is_right_is_taken_however_it_was_made(legal: Kind, ground: Ground, seen: View) -> None:
    follower = local(ground, seen)
    head = legal.make(ground)
    follower.advance(head)
    assert follower.view.head == head


@pytest.mark.parametrize(
    "kind", [k for k in kinds() if k.rule in ("zone", "secret", "mode", "sequence")][::25], ids=lambda k: k.name
)
def test_after_a_bad_commit_the_work_goes_on_from_the_good_one(kind: Kind, ground: Ground, seen: View) -> None:
    follower = local(ground, seen)
    with pytest.raises(UntrustedHead):
        follower.advance(kind.make(ground))
    if follower.view.head == ground.head:
        after = LEGAL["a claim"].make(ground)
        follower.advance(after)
        assert follower.view.head == after
