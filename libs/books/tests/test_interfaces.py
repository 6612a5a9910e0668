"""Both interfaces against servers that lie, hang up, or say too much; and where the key does not show."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import pytest

from books import rpc
from books.drafts import Key, NewLine, NewMove
from books.errors import BadCredentials, BooksRefused, BooksUnreachable
from books.memory.odoo import MemoryOdoo
from books.odoo import open_books
from books.rpc import Access, connect
from books.testing import DATABASE, HangUp, Server, serving
from books.values import Kind

KEY = "0123456789abcdef-the-key"
Interface = Literal["json-rpc", "json-2"]
NEW = NewMove(Kind.INVOICE, 1, (NewLine("Work", Decimal(100)),), issued=date(2026, 11, 20))


@pytest.fixture(params=["json-rpc", "json-2"])
def interface(request: pytest.FixtureRequest) -> Interface:
    chosen: Interface = request.param
    return chosen


def access_to(url: str, interface: Interface, **other: Any) -> Access:
    return Access(**{"url": url, "database": DATABASE, "login": "agent", "key": KEY, "interface": interface, **other})


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server that answers every request so; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            try:
                answer(self)
            except OSError:
                return  # the client has heard enough

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the base class names it so
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            thread.join()


def body(status: int, content: bytes, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 65536)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


ANSWERS = {
    "not JSON": body(200, b"<html>Sign in</html>"),
    "a list": body(200, b"[1, 2]"),
    "null": body(200, b"null"),
    "an error without a name": body(200, b'{"error": {"data": {}}}'),
    "an error that is no object": body(200, b'{"error": "no"}'),
    "half of an object": body(200, b'{"result": [{"id": 1'),
    "a proxy's words": body(502, b"Bad Gateway"),
    "busy": body(503, b"{}"),
    "elsewhere": body(302, b"", Location="http://127.0.0.1:1/"),
    "a server fault": body(500, json.dumps({"name": "builtins.ZeroDivisionError", "message": "x"}).encode()),
    "without an end": endless,
    "nothing": hang_up,
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_makes_no_sense_leaves_the_outcome_unknown(
    interface: Interface, answer: Callable[[BaseHTTPRequestHandler], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("books.jsonrpc.LARGEST_ANSWER", 1 << 20)
    monkeypatch.setattr("books.json2.LARGEST_ANSWER", 1 << 20)
    with (
        answering(answer) as url,
        closing(open_books(access_to(url, interface, timeout_seconds=5.0))) as books,
        pytest.raises(BooksUnreachable) as raised,
    ):
        books.draft(Key("task-a"), NEW)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_is_found_again_by_its_key(interface: Interface, when: str) -> None:
    broken = iter([True])

    def once(call: str) -> None:
        if call == "account.move.countersign_draft" and next(broken, False):
            raise HangUp

    made = Server(MemoryOdoo(), {KEY: "agent"})
    setattr(made, when, once)
    with (
        serving(made) as server,
        closing(open_books(access_to(server.url, interface))) as books,
    ):
        with pytest.raises(BooksUnreachable):
            books.draft(Key("task-a"), NEW)
        found = books.find(Key("task-a"))
        assert (found is None) == (when == "before")
        again = books.draft(Key("task-a"), NEW)
        assert again.fresh == (when == "before")
        assert [move.id for move in books.invoices()] == [again.id]


def test_the_key_shows_neither_in_logs_nor_in_texts(interface: Interface, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        serving(Server(MemoryOdoo(), {KEY: "agent"})) as server,
        closing(open_books(access_to(server.url, interface))) as books,
    ):
        books.partners("ada")
        with pytest.raises(BooksRefused) as refused:
            books.draft(Key("task-a"), replace(NEW, currency="XXX"))
    assert KEY not in caplog.text
    assert KEY not in repr(access_to("http://x", interface)) + str(refused.value)


@pytest.mark.parametrize("key", ["", " ", "\n"])
def test_an_empty_key_is_no_key(interface: Interface, key: str) -> None:
    with pytest.raises(BadCredentials):
        connect(access_to("http://127.0.0.1:1", interface, key=key))


@pytest.mark.parametrize("url", ["", "books.test", "ftp://books.test"])
def test_an_address_that_is_none_is_refused(interface: Interface, url: str) -> None:
    with pytest.raises((BadCredentials, BooksUnreachable)), closing(connect(access_to(url, interface))) as made:
        made.version()


def test_proxies_of_the_environment_are_not_used(interface: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with (
        serving(Server(MemoryOdoo(), {KEY: "agent"})) as server,
        closing(open_books(access_to(server.url, interface))) as books,
    ):
        assert [p.name for p in books.partners("ada")] == ["Ada Lovelace Ltd"]


def test_one_call_is_one_transaction(interface: Interface) -> None:
    """A call that fails at its end leaves nothing behind."""
    odoo = MemoryOdoo()
    with (
        serving(Server(odoo, {KEY: "agent"})) as server,
        closing(open_books(access_to(server.url, interface))) as books,
    ):
        with pytest.raises(BooksRefused):
            books._rpc.call(  # past the checks on this side
                "account.move",
                "countersign_draft",
                external_id="task-a",
                values={"move_type": "out_invoice", "partner_id": 1, "state": "posted"},
            )
        assert books.find(Key("task-a")) is None
        assert odoo.tables["account.move"] == {}


def test_the_longest_answer_is_bounded() -> None:
    assert rpc.LARGEST_ANSWER <= 64 * 1024 * 1024
