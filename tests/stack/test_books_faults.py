"""What a client makes of a real Odoo that dies, hangs, forgets a key or loses an answer."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from itertools import count

import pytest

from books.drafts import Key
from books.errors import BadCredentials, BooksUnreachable
from books.odoo import OdooBooks, open_books
from books.rpc import connect
from tests.stack.books import Stack
from tests.stack.docker import StackFailed
from tests.stack.drafter import new
from tests.stack.faulty import Fault, Relay, relaying
from tools.workspace import ROOT

pytestmark = pytest.mark.stack
NUMBERS = count(1)


HOLD = "BEGIN; SELECT id FROM account_move WHERE id = {move} FOR UPDATE; SELECT pg_sleep(60)"
HELD = "query LIKE '%pg_sleep(60)%' AND pid != pg_backend_pid()"
"""Keeps one move from being posted, so that Odoo is surely in the middle of it."""


def wait_for(stack: Stack, query: str, least: int) -> None:
    for _ in range(300):
        if int(stack.sql(query)[0][0]) >= least:
            return
    raise AssertionError(f"never at least {least}: {query}")


def key() -> Key:
    return Key(f"faults-{next(NUMBERS)}")


@contextmanager
def behind(stack: Stack, faults: dict[int, Fault], seconds: float = 30.0) -> Iterator[tuple[Relay, OdooBooks]]:
    with relaying(Relay(stack.url, faults)) as relay:
        yield relay, open_books(replace(stack.access("agent"), url=relay.url, timeout_seconds=seconds))


def made(stack: Stack, one: Key) -> int:
    """How many invoices the database has with this reference."""
    return int(stack.sql(f"SELECT count(*) FROM account_move WHERE ref = '{one}'")[0][0])


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.CUT])
@pytest.mark.parametrize("request_number", [1, 2])
def test_an_answer_that_is_lost_is_unknown_and_asking_again_makes_no_second(
    books_stack: Stack, fault: Fault, request_number: int
) -> None:
    one, partner = key(), books_stack.ids["partner"]
    with behind(books_stack, {request_number: fault}) as (_, books):
        with pytest.raises(BooksUnreachable):
            books.draft(one, new(partner, str(one)))
        there = made(books_stack, one)
        assert there == (1 if request_number == 2 and fault is not Fault.LOST_BEFORE else 0)
        assert books.draft(one, new(partner, str(one))).fresh == (not there)
    assert made(books_stack, one) == 1


@pytest.mark.parametrize("fault", [Fault.HELD_BEFORE, Fault.HELD_AFTER])
@pytest.mark.parametrize("request_number", [1, 2])
def test_a_client_killed_at_any_step_makes_no_second_draft(
    books_stack: Stack, fault: Fault, request_number: int
) -> None:
    one, partner = key(), books_stack.ids["partner"]
    with relaying(Relay(books_stack.url, {request_number: fault})) as relay:
        access = replace(books_stack.access("agent"), url=relay.url)
        asked = {"access": vars(access) | {"ca_file": None}, "key": str(one), "partner": partner}
        command = [sys.executable, "-m", "tests.stack.drafter"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT) as client:
            assert client.stdin is not None
            client.stdin.write(json.dumps(asked).encode())
            client.stdin.close()
            assert relay.reached.wait(60)
            client.kill()
        relay.release.set()
        assert relay.settled.wait(60)
    with closing(open_books(books_stack.access("agent"))) as books:
        found = books.find(one)
        assert (found is not None) == (fault is Fault.HELD_AFTER and request_number == 2)
        again = books.draft(one, new(partner, str(one)))
    assert found is None or again.id == found.id
    assert made(books_stack, one) == 1


@pytest.mark.parametrize("fault", [Fault.HELD_BEFORE, Fault.DRIPPED])
def test_a_server_that_is_too_slow_is_left(books_stack: Stack, fault: Fault) -> None:
    one = key()
    with behind(books_stack, {2: fault}, seconds=0.5) as (_, books), pytest.raises(BooksUnreachable):
        books.draft(one, new(books_stack.ids["partner"], str(one)))


def test_a_key_that_is_revoked_ends_the_work(books_stack: Stack) -> None:
    """Odoo 14 has no keys that expire, and its workers remember a good one until they are started again."""
    said = books_stack.shell(
        "user = env['res.users'].search([('login', '=', 'agent')])\n"
        "print('KEY=' + env['res.users.apikeys'].with_user(user)._generate('rpc', 'short')); env.cr.commit()\n"
    )
    short = next(line for line in said.splitlines() if line.startswith("KEY=")).removeprefix("KEY=")
    with closing(connect(replace(books_stack.access("agent"), key=short))) as rpc:
        assert rpc.call("res.partner", "read", [books_stack.ids["partner"]], fields=["name"])
        books_stack.sql("DELETE FROM res_users_apikeys WHERE name = 'short'")
        books_stack.kill()
        books_stack.start()
        with pytest.raises(BadCredentials):
            rpc.call("res.partner", "read", [books_stack.ids["partner"]], fields=["name"])


def test_odoo_killed_while_posting_posts_each_once(books_stack: Stack) -> None:
    partner = books_stack.ids["partner"]
    with closing(open_books(books_stack.access("agent"))) as books:
        moves = [books.draft(one, new(partner, str(one))).id for one in (key() for _ in range(8))]
        seen = {move: books.state(move).sha256 for move in moves}
    approvals = {move: hashlib.sha256(f"{__name__} {move}".encode()).hexdigest() for move in moves}

    def post(move: int) -> str:
        given = {"state_sha256": seen[move], "approval_digest": approvals[move]}
        with closing(connect(books_stack.access("local", timeout_seconds=20.0))) as rpc:
            try:
                return str(rpc.call("account.move", "countersign_post", [move], **given)["approval"])
            except BooksUnreachable:
                return "unknown"

    with ThreadPoolExecutor(3) as pool:
        holding = pool.submit(books_stack.sql, HOLD.format(move=moves[2]))
        wait_for(books_stack, f"SELECT count(*) FROM pg_stat_activity WHERE {HELD}", 1)
        first = [pool.submit(post, move) for move in moves]
        wait_for(books_stack, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", 1)
        books_stack.kill()
        answers = [one.result() for one in first]
        books_stack.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {HELD}")
        with suppress(StackFailed):
            holding.result()
    books_stack.start()
    assert "unknown" in answers
    assert [post(move) for move in moves] == list(approvals.values())
    wanted = ", ".join(map(str, moves))
    rows = books_stack.sql(
        f"SELECT state, countersign_approval, name FROM account_move WHERE id IN ({wanted}) ORDER BY id"
    )
    assert [row[:2] for row in rows] == [["posted", approvals[move]] for move in moves]
    assert len({row[2] for row in rows}) == len(moves)
