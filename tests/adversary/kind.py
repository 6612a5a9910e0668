"""A kind of bad commit: its name, how it is made, and the rule that has to refuse it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tests.adversary.ground import Ground
from vault_protocol.errors import UntrustedHead
from vault_protocol.hub import CommitId

Make: TypeAlias = Callable[[Ground], CommitId]


@dataclass(frozen=True)
class Kind:
    """`make` gives the head of a line on the ground's head; one commit in it breaks `rule`."""

    name: str
    rule: str
    make: Make


_RULES: tuple[tuple[str, str], ...] = (
    (r"refused by rule '([a-z -]+)'", ""),
    (r"not signed|trailer|the agent has no proper name|not as an agent writes it", "trailers"),
    (r"no key of", "key"),
    (r"the signature of .* does not fit", "signature"),
    (r"one is missing or replayed", "sequence"),
    (r"its author is", "author"),
    (r"policy", "policy"),
    (r"it is a merge", "merge"),
    (r"rolled back or rewritten|does not follow", "line"),
    (r"header does not read|header holds", "header"),
    (r"it is no (?:commit|file)|objects are not here|objects? .*broken", "objects"),
    (r"folder in it|not UTF-8|folders deep|folders differ", "tree"),
)


def rule_of(error: UntrustedHead) -> str:
    """The rule that a follower named; the whole sentence when none is known."""
    for pattern, rule in _RULES:
        found = re.search(pattern, str(error))
        if found:
            return rule or found[1]
    return str(error)
