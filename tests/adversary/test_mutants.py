"""Each planted bug of the policy lets its kind of bad commit in, and without the bug that kind is refused."""

from __future__ import annotations

import pytest

from tests.adversary.ground import Ground
from tests.adversary.kinds import kinds
from tests.adversary.mutants import MUTANTS, Mutant
from tests.adversary.test_kinds import verdict
from vault_protocol.follow import View

KINDS = {kind.name: kind for kind in kinds()}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_planted_bug_of_the_policy_is_caught(
    mutant: Mutant, ground: Ground, seen: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = KINDS[mutant.lets_in]
    with monkeypatch.context() as patch:
        mutant.bug(patch)
        assert verdict(kind, ground, seen) == ""
    assert verdict(kind, ground, seen) == kind.rule
