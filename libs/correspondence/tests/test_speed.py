"""Linear time: each of these would take minutes or gigabytes if a step looked back over what it read."""

from __future__ import annotations

import hashlib
from time import process_time

import pytest

from correspondence import Mailbox, Oddity, answer, read

MEGABYTE = 1_000_000
SECONDS = 6.0


def repeated(piece: str, before: str = "", after: str = "", *, size: int = MEGABYTE) -> bytes:
    """About so much of a piece."""
    return (before + piece * (size // len(piece)) + after).encode()


def markup(piece: str, before: str = "", after: str = "") -> bytes:
    """A third of a megabyte of HTML, which for a step that looks back would be as fatal as a whole one."""
    return repeated(piece, before, after, size=MEGABYTE // 3)


HEADERS = {
    "brackets in an address list": repeated('<("', "To: "),
    "commas in an address list": repeated("a@b.example,", "Cc: "),
    "encoded words": repeated("=?utf-8?q?a?= ", "Subject: "),
    "unfinished encoded words": repeated("=?utf-8?q?", "Subject: "),
    "parameters": repeated(';a="\\', "Content-Type: text/plain"),
    "white space in a date": repeated(" ", "Date: Mon,"),
    "message ids": repeated("<a", "References: "),
    "folded lines": repeated("\n ", "Subject: x"),
}
PLAIN = {
    "attributions": repeated("On Mon, 5 Jan 2026 10:00 <a@b.example> wrote:\n\n"),
    "attributions without an end": repeated("On Mon, 5 Jan 2026 10:00 <a@b.example>\n"),
    "header blocks": repeated("From: a\n"),
    "separators": repeated("-", after="Original Message"),
    "colons": repeated("a:\n"),
    "quotes and answers": repeated("> a\nb wrote:\n"),
    "underscores": repeated("\n", after="_" * 40),
    "angle brackets": repeated("<a@b", after=":\n> x"),
    "one line": repeated("wrote 10:00 "),
}
RICH = {
    "open tags": markup("<div><b>"),
    "tags that close nothing": markup("</i></b>", "<table>" * 1000),
    "paragraphs inside inline tags": markup("<p><i><b>"),
    "list items": markup("<li><b>"),
    "nested tables": markup("<table><tr><td>"),
    "nested quotes": markup("<blockquote type=cite>x"),
    "attributes": markup("a{0}=1 ", "<b ", ">"),
    "unfinished attributes": markup('<b a="'),
    "unfinished comments": markup("<!--"),
    "brackets": markup("<"),
    "ampersands": markup("&#1"),
    "links": markup("<a href=http://a.example>www.b.example</a>"),
    "styles": markup("<i style='color:red;/*'>"),
    "rules": markup("<i class='x y z'>", f"<style>{'.x,.y,.z{color:red;left:1;top:2}' * 900}</style>"),
    "rules without an end": markup(".x{/*", "<style>"),
}


def seconds(raw: bytes) -> float:
    before = process_time()
    read(raw)
    return process_time() - before


@pytest.mark.parametrize("name", HEADERS)
def test_a_megabyte_of_headers_takes_little_time(name: str) -> None:
    assert seconds(HEADERS[name] + b"\n\nHi") < SECONDS


@pytest.mark.parametrize("name", PLAIN)
def test_a_megabyte_of_plain_text_takes_little_time(name: str) -> None:
    assert seconds(b"Subject: x\n\n" + PLAIN[name]) < SECONDS


@pytest.mark.parametrize("name", RICH)
def test_a_third_of_a_megabyte_of_html_takes_little_time(name: str) -> None:
    assert seconds(b"Content-Type: text/html\n\n" + RICH[name]) < SECONDS


def test_a_megabyte_of_open_tags_takes_little_time() -> None:
    assert seconds(b"Content-Type: text/html\n\n" + repeated("<div><b>")) < SECONDS


def test_many_html_parts_take_no_more_time_than_one() -> None:
    part = b"--b\nContent-Type: text/html\n\n" + b"<i>" * 2_500
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"\n".join([part] * 1200)
    before = process_time()
    assert Oddity.TRUNCATED in read(raw).oddities
    assert process_time() - before < SECONDS


def test_fifty_megabytes_of_attachment_take_little_time() -> None:
    content = b"0123456789ab" * 3_000_000
    encoded = b"MDEyMzQ1Njc4OWFi" * 4 + b"\r\n"
    raw = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded * 750_000
    assert len(raw) > 49_000_000
    before = process_time()
    (attachment,) = read(raw).attachments
    assert process_time() - before < SECONDS
    assert attachment.sha256 == hashlib.sha256(content).hexdigest()


def test_an_answer_to_a_long_mail_quotes_little_of_it() -> None:
    original = read(b"From: a@b.example\n\n" + repeated("line\n"))
    envelope = answer(original, account=Mailbox("", "o@b.example"), own_addresses=frozenset())
    assert len(envelope.quote.split("\n")) == 202
