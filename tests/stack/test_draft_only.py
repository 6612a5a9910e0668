"""A draft-only user posts, pays, redirects and schedules nothing, whatever groups it was given besides."""

import pytest

from books.errors import BadCredentials, BooksError, BooksRefused
from books.rpc import Rpc, connect
from tests.stack.attacks.attack import Attack, Scene
from tests.stack.attacks.later import LATER
from tests.stack.attacks.pay import PAY
from tests.stack.attacks.post import POST
from tests.stack.attacks.redirect import REDIRECT
from tests.stack.books import Stack, running
from tests.stack.docker import ensure_engine
from tests.stack.scene import fingerprint, owners_part, scene

pytestmark = pytest.mark.stack

ATTACKS = [*POST, *PAY, *REDIRECT, *LATER]
USERS = ("agent", "misled", "exalted")
"""The group alone; Billing and accounting manager as well; and the administrator's settings."""


def attack(rpc: Rpc, one: Attack, at: Scene) -> object:
    ids = one.at(at) if one.at else None
    return rpc.call(one.model, one.method, ids, **one.named(at))


@pytest.fixture(scope="module")
def owners(books_stack: Stack) -> dict[str, object]:
    return owners_part(books_stack)


@pytest.fixture(scope="module", params=USERS)
def under_attack(request: pytest.FixtureRequest, books_stack: Stack, owners: dict[str, object]) -> tuple[Rpc, Scene]:
    return connect(books_stack.access(request.param)), scene(books_stack, request.param, owners)


@pytest.fixture(scope="module")
def before(books_stack: Stack, under_attack: tuple[Rpc, Scene]) -> dict[str, str]:
    return fingerprint(books_stack)


@pytest.mark.parametrize("one", ATTACKS, ids=str)
def test_a_draft_only_user_is_denied(
    books_stack: Stack, under_attack: tuple[Rpc, Scene], before: dict[str, str], one: Attack
) -> None:
    rpc, at = under_attack
    with pytest.raises((BooksRefused, BadCredentials)):  # the second is how Odoo denies an administrator's method
        attack(rpc, one, at)
    now = fingerprint(books_stack)
    assert [table for table in now if now[table] != before[table]] == []


def test_the_same_calls_mean_something() -> None:
    """Somebody with the same groups, but without ours, gets through with most of them: else the list proves nothing."""
    ensure_engine()
    with running() as stack:
        at = scene(stack, "owner", owners_part(stack), drafts_by="agent")
        rpc = connect(stack.access("owner"))
        through = set()
        for one in ATTACKS:
            try:
                attack(rpc, one, at)
            except BooksError:
                continue
            through.add(one.name)
        assert len(through) >= 60, sorted(a.name for a in ATTACKS if a.name not in through)
