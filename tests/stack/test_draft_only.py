"""A draft-only user posts, pays, redirects and schedules nothing, whatever groups it was given besides."""

import re

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


BEHIND_SUDO = """
from odoo.addons.draft_only.models.base import GUARDED
from odoo.exceptions import AccessError
agent = env["res.users"].search([("login", "=", "exalted")])
tried, through = 0, []
known = [name for name in sorted(GUARDED) if name in env]
for name in known:
    model = env[name].with_user(agent).sudo()
    record = model.search([], limit=1) if not model._transient else model
    for verb, call in {
        "create": lambda: model.create({}),
        "write": lambda: record.write({}),
        "unlink": lambda: record.unlink(),
    }.items():
        if verb != "create" and not record:
            continue
        tried += 1
        try:
            with env.cr.savepoint():
                call()
        except AccessError as error:
            if "draft-only" in str(error):
                continue
        except Exception:  # the empty values were refused before it came to us
            tried -= 1
            continue
        through.append("%s %s" % (verb, name))
move = env["account.move"].search([("state", "=", "draft"), ("create_uid", "=", agent.id)], limit=1)
for call in (lambda m: m._post(), lambda m: m.write({"state": "posted"}), lambda m: m.line_ids.reconcile()):
    tried += 1
    try:
        with env.cr.savepoint():
            call(move.with_user(agent).sudo())
        through.append("a move")
    except AccessError:
        pass
print("TRIED=%d MODELS=%d THROUGH=%s" % (tried, len(known), "; ".join(through)))
"""


def test_sudo_opens_nothing(books_stack: Stack, owners: dict[str, object]) -> None:
    """Code of Odoo that acts behind sudo() in the name of a draft-only user meets the same no."""
    scene(books_stack, "exalted", owners)
    said = books_stack.shell(BEHIND_SUDO)
    found = re.search(r"TRIED=(\d+) MODELS=(\d+) THROUGH=(.*)", said)
    assert found, said
    assert found[3] == ""
    assert int(found[1]) > 70
    assert int(found[2]) > 35


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
