"""`python -m tests.prove.lying_hub run --config FILE BUG [STEP [NUMBER]]`: the hub with a planted bug in its answers.

Killed at this step, as `stepping` does it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
from services.vault_hub.tests import stepping
from starlette.responses import Response

from vault_hub.api import Api
from vault_hub.arbiter import Arbiter, Publish
from vault_hub.doorkeeper import Caller
from vault_hub.line import Line, Page
from vault_hub.objects import Objects
from vault_protocol import changeset, policy
from vault_protocol.changeset import BadChangeset, Changeset
from vault_protocol.errors import Refused
from vault_protocol.hub import Accepted, Broken, Change, CommitId, Published
from vault_protocol.policy import Trust
from vault_protocol.wire import Parcel

Patch = pytest.MonkeyPatch
SOMETIMES = 0.2


def it_answers_before_the_swap(patch: Patch) -> None:
    """Whoever published is told yes; the disk is with the next group."""
    later: list[tuple[CommitId, CommitId | None]] = []
    settle = Arbiter.settle

    def to_disk(self: Arbiter, head: CommitId) -> Broken | None:
        later.append((head, self._view.head))
        return None

    def settled(self: Arbiter, group: Sequence[Publish]) -> None:
        for head, old in later:
            self._objects.write(head)
            self._objects.swap(head, old)
        later.clear()
        settle(self, group)

    patch.setattr(Arbiter, "_to_disk", to_disk)
    patch.setattr(Arbiter, "settle", settled)


def it_swaps_with_every_eighth_group(patch: Patch) -> None:
    """The objects are on disk, the head is behind."""
    swap, came = Objects.swap, [0]

    def swapped(self: Objects, new: CommitId, _old: CommitId | None) -> None:
        came[0] += 1
        if came[0] % 8:
            self._leave_lock()
        else:
            swap(self, new, self.head())

    patch.setattr(Objects, "swap", swapped)


def what_it_took_had_moved_on(patch: Patch) -> None:
    """Now and then who was taken is told no, with the head it saw."""
    said, chance = Api._said, Random(1)

    def lied(
        self: Api, caller: Caller, parcels: list[Parcel], onto: CommitId | None, published: Published
    ) -> Response:  # fmt: skip
        if isinstance(published, Accepted) and chance.random() < SOMETIMES:
            return self.answers.page(caller.agent, Page(onto, ()), {"answer": "moved_on"})
        return said(self, caller, parcels, onto, published)

    patch.setattr(Api, "_said", lied)


def who_asks_is_shown_the_head_before(patch: Patch) -> None:
    at_hand = Line.at_hand

    def stale(self: Line, have: Sequence[CommitId]) -> Page | None:
        page = at_hand(self, have)
        if page is None or page.more or not page.commits:
            return page
        return Page(page.commits[-1].parent, page.commits[:-1], known=page.known)

    patch.setattr(Line, "at_hand", stale)


def a_publish_goes_on_any_newer_head(patch: Patch) -> None:
    """Whether or not what it changes is there as its sender saw it."""
    judge = policy.judge

    def judged(message: str, author: str, changes: Sequence[Change], *, trust: Trust, **given: Any) -> Changeset:
        try:
            return judge(message, author, changes, trust=trust, **given)
        except (BadChangeset, Refused):
            return changeset.parse(message, vault=trust.vault, changes=changes)

    patch.setattr(policy, "judge", judged)


BUGS: dict[str, tuple[Callable[[Patch], None], int]] = {
    bug.__name__.replace("_", " "): (bug, kills)
    for bug, kills in (
        (it_answers_before_the_swap, 2), (it_swaps_with_every_eighth_group, 1), (what_it_took_had_moved_on, 0),
        (who_asks_is_shown_the_head_before, 0), (a_publish_goes_on_any_newer_head, 0),
    )
}  # fmt: skip
"""And how often the hub is killed before it shows."""


def main(config: str, bug: str, *step: str) -> None:
    BUGS[bug][0](pytest.MonkeyPatch())
    stepping.main(config, *step)


if __name__ == "__main__":
    main(*sys.argv[3:])
