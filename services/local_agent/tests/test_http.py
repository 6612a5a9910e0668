"""One call to a provider, whatever the provider answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from local_agent.http import Http, NoAnswer


@contextmanager
def answering(content: bytes, length: int | None = None) -> Iterator[Http]:
    """A provider that says this to everything, perhaps with another length than it has."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content) if length is None else length))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Http(f"http://127.0.0.1:{server.server_port}", {})
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("content", [b"", b"  ", b"not json", b"[" * 200_000, b"\xff\xfe"])
def test_an_answer_that_is_no_json_is_a_status_without_a_body(content: bytes) -> None:
    with answering(content) as http:
        answer = http.ask("GET", "/x")
    assert (answer.status, answer.body) == (200, None)


def test_an_answer_that_breaks_off_leaves_open_what_happened() -> None:
    with answering(b"{}", length=100) as http, pytest.raises(NoAnswer):
        http.ask("GET", "/x")


@pytest.mark.parametrize(
    "url", ["http://api.example.com", "ftp://127.0.0.1", "api.example.com", "http://127.0.0.1.evil.com"]
)
def test_no_credential_goes_over_a_network_in_the_clear(url: str) -> None:
    with pytest.raises(ValueError, match="must begin with https"):
        Http(url, {"Authorization": "Bearer x"})
