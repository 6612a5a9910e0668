"""Files in a mail: what a reader that shares no code with ours gets out is exactly what went in."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from correspondence import File, Mailbox, UnsafeMessage, contents, message, read

USUAL: dict[str, Any] = {
    "sender": Mailbox("The Owner", "owner@example.com"),
    "to": (Mailbox("Ann Lee", "ann@example.org"),),
    "subject": "Your invoice",
    "text": "Here it is.\n",
    "quote": "> Please send it.\n",
    "message_id": "<2@example.com>",
    "date": datetime(2026, 1, 5, 14, 3, 9, tzinfo=UTC),
}
PDF = File("Invoice INV-2026-0001.pdf", "application/pdf", b"%PDF-1.7\r\n\x00\xff--=_\n.\nFrom me\n")
NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cf", "Cn", "Co", "Zl", "Zp", "Mn", "Lo"], exclude_characters="/\\"),
    min_size=1, max_size=120,
).filter(lambda name: name.strip(" .") != "" and name == name.strip())  # fmt: skip
few = settings(max_examples=120, deadline=None, database=None)


def composed(*files: File, **changes: Any) -> bytes:
    return message(**{**USUAL, **changes}, files=files)


def named(part: Any) -> str:
    """As the header says it: get_filename() takes brackets and quotes around a decoded name off a second time."""
    return str(part["content-disposition"].params["filename"])


def taken_out(raw: bytes) -> tuple[str, list[tuple[str, str, bytes]]]:
    found = message_from_bytes(raw, policy=policy.default)
    body, *parts = list(found.iter_parts())
    files = [(named(p), p.get_content_type(), bytes(p.get_payload(decode=True) or b"")) for p in parts]
    return str(body.get_content()).replace("\r\n", "\n"), files


def test_text_and_files_arrive_exactly() -> None:
    text, files = taken_out(composed(PDF, File("b.txt", "text/plain", b"")))
    assert text == "Here it is.\n\n> Please send it.\n"
    assert files == [(PDF.name, PDF.media_type, PDF.content), ("b.txt", "text/plain", b"")]


def test_our_own_reader_finds_the_same_hashes_and_bytes() -> None:
    (found,) = read(composed(PDF)).attachments
    assert contents.attached(composed(PDF)) == {found.sha256: PDF.content}
    assert (found.name, found.size, found.media_type) == (PDF.name, len(PDF.content), PDF.media_type)


@few
@example(b"", "<>")
@example(b"", '"a"')
@example(b"", 'a "b" <c>')
@given(st.binary(max_size=4000), NAMES)
def test_any_bytes_under_any_name_arrive_exactly(content: bytes, name: str) -> None:
    raw = composed(File(name, "application/octet-stream", content))
    _, ((found, _, got),) = taken_out(raw)
    assert (found, got) == (name, content)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) < 400
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")


def test_the_same_arguments_give_the_same_bytes_and_another_byte_gives_another_mail() -> None:
    assert composed(PDF) == composed(PDF)
    assert composed(PDF) != composed(File(PDF.name, PDF.media_type, PDF.content + b" "))


def test_a_mail_without_files_has_the_bytes_it_always_had() -> None:
    assert b"multipart" not in composed()


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("", "a/b"), ("..", "a/b"),
        ("a.pdf ", "a/b"), ("a/b.pdf", "a/b"), ("a\\b.pdf", "a/b"), ("a\r\nBcc: x@y.example", "a/b"),
        ("a\u202efdp.exe", "a/b"), ("x" * 151, "a/b"), ("a.pdf", "multipart/mixed"), ("a.pdf", "message/rfc822"),
        ("a.pdf", "a/b\r\nBcc: x"), ("a.pdf", ""), ("a.pdf", 'a/b; name="x"'),
    ],
)  # fmt: skip
def test_a_name_or_type_that_could_say_something_else_is_refused(name: str, media_type: str) -> None:
    with pytest.raises(UnsafeMessage, match=r"^attachment"):
        composed(File(name, media_type, b"x"))
