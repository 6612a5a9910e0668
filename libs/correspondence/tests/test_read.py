from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from correspondence import Mailbox, NoReplyAddress, Original, answer, message, never_answer, read

from .cases import mail, multipart
from .corpus import CORPUS

OWNER = Mailbox("Owner", "owner@example.com")
NOW = datetime(2026, 1, 5, tzinfo=UTC)
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e01ef]"
)
SMALL = [case.raw for case in CORPUS if len(case.raw) < 4_000]
SAMPLE = next(case.raw for case in CORPUS if case.name == "a signed mail")
few = settings(max_examples=100, deadline=None, database=None)


def strings(original: Original) -> Iterator[str]:
    """Every one-line text of a mail."""
    mailboxes = (
        *original.reply_to,
        *original.to,
        *original.cc,
        *((original.sender,) if original.sender else ()),
    )
    yield from (text for mailbox in mailboxes for text in (mailbox.name, mailbox.address))
    yield from (original.subject, original.message_id or "", original.in_reply_to or "", *original.references)
    yield from (text for attachment in original.attachments for text in (attachment.name, attachment.media_type))


def assert_safe(raw: bytes) -> None:
    original = read(raw)
    assert original == read(raw)
    assert not any(HIDDEN.search(text) for text in (*strings(original), original.text, original.quoted))
    assert not any(set(text) & set("\n\t\r") for text in strings(original))
    assert len(original.text) + len(original.quoted) <= 200_000
    assert all(attachment.name.isascii() and attachment.name for attachment in original.attachments)
    assert all(not set(attachment.name) & set('/\\:*?"<>|\n') for attachment in original.attachments)
    never_answer(original, own_addresses=frozenset())
    try:
        envelope = answer(original, account=OWNER, own_addresses=frozenset())
    except NoReplyAddress:
        return
    message(
        sender=envelope.sender,
        to=envelope.to,
        subject=envelope.subject,
        in_reply_to=envelope.in_reply_to,
        references=envelope.references,
        text="Yes.\n",
        quote=envelope.quote,
        message_id="<2@example.com>",
        date=NOW,
    )


@few
@given(st.binary(max_size=2_000))
def test_any_bytes_are_read_safely(raw: bytes) -> None:
    assert_safe(raw)


@few
@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_in_headers_and_parts_are_read_safely(header: bytes, kind: bytes, part: bytes) -> None:
    line = re.compile(rb"[\r\n]")
    assert_safe(mail(part, From=line.sub(b"", header) + b" <a@b.example>", Content_Type=line.sub(b"", kind)))
    assert_safe(multipart(part, b"Content-Type: text/html\r\n\r\n" + part, Subject=line.sub(b"", header)))


@few
@given(
    st.sampled_from(SMALL),
    st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 40), st.binary(max_size=8)), max_size=6),
)
def test_any_change_to_a_hostile_mail_is_read_safely(raw: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    for position, length, replacement in changes:
        raw = raw[:position] + replacement + raw[position + length :]
    assert_safe(raw)


@few
@given(st.lists(st.sampled_from(SMALL), min_size=2, max_size=4))
def test_mails_put_inside_each_other_are_read_safely(raws: list[bytes]) -> None:
    assert_safe(multipart(*raws, kind="alternative"))
    assert_safe(b"".join(raws))


def test_every_truncation_of_a_mail_is_read_safely() -> None:
    for length in range(len(SAMPLE)):
        assert_safe(SAMPLE[:length])


@pytest.mark.parametrize("raw", SMALL[::8], ids=range(len(SMALL[::8])))
def test_every_tenth_truncation_of_a_hostile_mail_is_read_safely(raw: bytes) -> None:
    for length in range(0, len(raw), 10):
        assert_safe(raw[:length])


def test_every_mail_of_the_corpus_is_read_safely() -> None:
    for raw in SMALL:
        assert_safe(raw)


def test_the_hash_is_that_of_the_bytes_that_came() -> None:
    assert read(b"a\rb").sha256 == hashlib.sha256(b"a\rb").hexdigest()


def test_an_attachment_is_known_by_size_and_hash_of_its_decoded_content() -> None:
    (attachment,) = read(next(case.raw for case in CORPUS if case.name == "an attachment")).attachments
    assert (attachment.size, attachment.sha256) == (4, hashlib.sha256(b"data").hexdigest())
    assert (attachment.media_type, attachment.inline) == ("application/octet-stream", False)


def test_a_picture_that_the_text_shows_is_inline() -> None:
    raw = next(case.raw for case in CORPUS if case.name == "a picture in the text")
    assert [attachment.inline for attachment in read(raw).attachments] == [True]
