"""What is exactly one plain publish on the wire, and that nothing else passes for it."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from vault_hub import api, direct


def whole(*lines: bytes, body: bytes = b"{}") -> bytes:
    return b"\r\n".join((b"POST /v1/publish HTTP/1.1", *lines)) + b"\r\n\r\n" + body


HOST, TOKEN, TWO = b"Host: x", b"Authorization: Bearer x", b"Content-Length: 2"
PLAIN = whole(HOST, TOKEN, TWO)
NOT_PLAIN = {
    "another method": PLAIN.replace(b"POST", b"PUT", 1),
    "another address": PLAIN.replace(b"publish", b"reroot", 1),
    "a query": PLAIN.replace(b"publish", b"publish?x", 1),
    "another version": PLAIN.replace(b"1.1", b"1.0", 1),
    "two spaces": PLAIN.replace(b" /", b"  /", 1),
    "bare line feeds": PLAIN.replace(b"\r\n", b"\n"),
    "a line feed in a header": whole(HOST, TOKEN + b"\nx: y", TWO),
    "a nought in a header": whole(HOST, TOKEN + b"\0", TWO),
    "a line that goes on": whole(HOST, TOKEN, b" more", TWO),
    "a space before the colon": whole(HOST, TOKEN, b"Content-Length : 2"),
    "no colon": whole(HOST, TOKEN, TWO, b"Accept"),
    "no head's end": PLAIN[:-4],
    "no host": whole(TOKEN, TWO),
    "no token": whole(HOST, TWO),
    "no length": whole(HOST, TOKEN),
    "two lengths": whole(HOST, TOKEN, TWO, TWO),
    "two tokens": whole(HOST, TOKEN, TOKEN, TWO),
    "a length with a sign": whole(HOST, TOKEN, b"Content-Length: +2"),
    "a length in hex": whole(HOST, TOKEN, b"Content-Length: 0x2"),
    "a longer length": whole(HOST, TOKEN, b"Content-Length: 3"),
    "a shorter length": whole(HOST, TOKEN, b"Content-Length: 1"),
    "chunks": whole(HOST, TOKEN, TWO, b"Transfer-Encoding: chunked"),
    "an encoding": whole(HOST, TOKEN, TWO, b"Content-Encoding: gzip"),
    "an expectation": whole(HOST, TOKEN, TWO, b"Expect: 100-continue"),
    "the last of its connection": whole(HOST, TOKEN, TWO, b"Connection: close"),
    "an upgrade": whole(HOST, TOKEN, TWO, b"Upgrade: websocket"),
    "the next request behind it": PLAIN + PLAIN,
    "a long head": whole(HOST, TOKEN, TWO, b"Accept: " + b"x" * direct.LONGEST_HEAD),
    "a large body": whole(HOST, TOKEN, b"Content-Length: %d" % api.LARGE, body=b" " * api.LARGE),
}


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_what_is_not_exactly_plain_takes_the_long_way(name: str) -> None:
    assert direct.read(PLAIN) == ("Bearer x", b"{}")
    assert direct.read(NOT_PLAIN[name]) is None


READ = {
    "the request line is not compared": ("not data.startswith(REQUEST_LINE)", "False", "another version"),
    "a head has no bound": (", LONGEST_HEAD)", ")", "a long head"),
    "any header will do": ("name not in UNDERSTOOD", "False", "chunks"),
    "a header may come twice": ("name in headers", "False", "two lengths"),
    "a line needs no colon": ("not colon", "False", "no colon"),
    "any byte may be in a header": ("not _VALUE.fullmatch(value)", "False", "a nought in a header"),
    "nothing is needed": ("all(headers.get(name) for name in NEEDED)", "True", "no host"),
    "a length is any number": ("not length.isdigit()", "False", "a length with a sign"),
    "a length is not compared": ("int(length) != len(body)", "False", "the next request behind it"),
    "a body of any size is read at once": ("len(body) >= LARGE", "False", "a large body"),
}
"""Of what reads a request: the check, what stands there instead, and the request that must not get through."""


@pytest.mark.parametrize("name", READ)
def test_a_planted_bug_of_what_reads_a_plain_request_is_caught(name: str) -> None:
    old, new, lets_in = READ[name]
    source = inspect.getsource(direct.read)
    assert source.count(old) == 1
    made: dict[str, Any] = {}
    exec(source.replace(old, new), {**vars(direct)}, made)  # noqa: S102 - our own text
    assert made["read"](PLAIN) == direct.read(PLAIN)
    assert made["read"](NOT_PLAIN[lets_in]) is not None
