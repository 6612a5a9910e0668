from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from correspondence import Mailbox, UnsafeMessage, body, message, read

OWNER = Mailbox("The Owner", "owner@example.com")
ANN = Mailbox("Ann Lee", "ann@example.org")
USUAL: dict[str, Any] = {
    "sender": OWNER,
    "to": (ANN,),
    "subject": "Re: Hello",
    "text": "Yes.\n",
    "message_id": "<2@example.com>",
    "date": datetime(2026, 1, 5, 14, 3, 9, tzinfo=UTC),
}
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("\n\n \t.=?F"), max_size=300)
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Cn", "Co", "Zl", "Zp", "Mn", "Lo"]), max_size=120)
few = settings(max_examples=120, deadline=None, database=None)


def composed(**changes: Any) -> bytes:
    return message(**{**USUAL, **changes})


def parsed(raw: bytes) -> EmailMessage:
    """What Python's own parser reads, which shares no code with ours."""
    return message_from_bytes(raw, policy=policy.default)


def arrived(raw: bytes) -> str:
    """The text as that parser decodes it, with the line ends of a text."""
    return str(parsed(raw).get_content()).replace("\r\n", "\n")


def test_a_mail_looks_exactly_like_this() -> None:
    raw = composed(
        cc=(Mailbox("Grüße", "g@example.org"), Mailbox('O"Neil, B.', "b@example.org")),
        in_reply_to="<1@example.org>",
        references=("<0@example.org>", "<1@example.org>"),
        quote="Ann wrote:\n> Hi\n",
    )
    assert raw == (
        b"Date: Mon, 05 Jan 2026 14:03:09 +0000\r\n"
        b"From: The Owner <owner@example.com>\r\n"
        b"To: Ann Lee <ann@example.org>\r\n"
        b'Cc: =?utf-8?b?R3LDvMOfZQ==?= <g@example.org>, "O\\"Neil, B." <b@example.org>\r\n'
        b"Subject: Re: Hello\r\n"
        b"Message-ID: <2@example.com>\r\n"
        b"In-Reply-To: <1@example.org>\r\n"
        b"References: <0@example.org> <1@example.org>\r\n"
        b"MIME-Version: 1.0\r\n"
        b'Content-Type: text/plain; charset="utf-8"\r\n'
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"Yes.\r\n\r\nAnn wrote:\r\n> Hi\r\n"
    )


@few
@given(TEXTS, TEXTS)
def test_the_text_arrives_exactly(text: str, quote: str) -> None:
    raw = composed(text=text, quote=quote)
    assert arrived(raw) == body(text, quote)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) < 998
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")


@few
@given(WORDS, WORDS)
def test_names_and_subjects_arrive_exactly(name: str, subject: str) -> None:
    raw = composed(to=(Mailbox(name, "ann@example.org"), ANN), subject=subject)
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    ours = read(raw)
    assert ours.to[0].name == " ".join(name.replace("\xa0", " ").split())[:200]
    assert ours.subject == " ".join(subject.replace("\xa0", " ").split())
    assert parsed(raw)["subject"].strip() == subject.strip()
    assert [address.addr_spec for address in parsed(raw)["to"].addresses] == [
        "ann@example.org",
        "ann@example.org",
    ]


@pytest.mark.parametrize(
    "text", ["=?utf-8?q?x?=", "  two  spaces  ", "a\tb", "x" * 400, "long words " * 40, '"quoted"', "a\\b"]
)
def test_a_text_that_a_reader_would_decode_or_trim_arrives_exactly(text: str) -> None:
    raw = composed(to=(Mailbox(text, "ann@example.org"),), subject=text)
    assert parsed(raw)["subject"] == text
    assert read(raw).to[0].name == " ".join(text.split())[:200].rstrip()


def test_base64_carries_the_line_ends_of_mail() -> None:
    content = composed(text="\u043f\u0440\u0438\n\u043f\u0440\u0438\n").partition(b"\r\n\r\n")[2]
    assert b64decode(content) == "\u043f\u0440\u0438\r\n\u043f\u0440\u0438\r\n".encode()


@few
@given(WORDS, WORDS)
def test_no_value_makes_a_header_of_its_own(name: str, subject: str) -> None:
    raw = composed(sender=Mailbox(name, "o@example.com"), subject=subject)
    names = ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"]
    assert parsed(raw).keys() == [*names, "Content-Transfer-Encoding"]


@pytest.mark.parametrize(
    "evil",
    [
        "a\r\nBcc: x",
        "a\nb",
        "a\rb",
        "a\x00b",
        "a\x0bb",
        "a\x85b",
        "a\u2028b",
        "a\u202eb",
        "a\u200bb",
        "a\ud800b",
    ],
)
def test_a_header_with_a_control_character_is_refused(evil: str) -> None:
    for changes in (
        {"subject": evil},
        {"sender": Mailbox(evil, "o@example.com")},
        {"to": (Mailbox("", f"{evil}@example.com"),)},
        {"cc": (Mailbox(evil, "c@example.com"),)},
        {"bcc_not_in_headers": (Mailbox("", evil),)},
        {"message_id": f"<{evil}@example.com>"},
        {"in_reply_to": f"<{evil}@example.com>"},
        {"references": ("<a@example.com>", f"<{evil}@example.com>")},
    ):
        with pytest.raises(UnsafeMessage):
            composed(**changes)


@pytest.mark.parametrize("evil", ["a\rb", "a\x00b", "a\x1b[2J", "a\x85b", "a\ud800b"])
def test_a_text_that_could_not_arrive_unchanged_is_refused(evil: str) -> None:
    with pytest.raises(UnsafeMessage, match="text"):
        composed(text=evil)
    with pytest.raises(UnsafeMessage, match="text"):
        composed(quote=evil)


@pytest.mark.parametrize(
    "address", ["", "ann", "ann@EXAMPLE.org", "a b@example.org", "ü@example.org", "a@b.example,c@d.example"]
)
def test_an_address_that_is_not_plain_is_refused(address: str) -> None:
    with pytest.raises(UnsafeMessage, match="To: an address"):
        composed(to=(Mailbox("", address),))


def test_a_mail_to_nobody_is_refused() -> None:
    with pytest.raises(UnsafeMessage, match="recipient"):
        composed(to=())


def test_a_date_without_a_zone_is_refused() -> None:
    with pytest.raises(UnsafeMessage, match="zone"):
        composed(date=USUAL["date"].replace(tzinfo=None))


def test_a_date_is_written_in_utc() -> None:
    there = timezone(timedelta(hours=2))
    assert b"Date: Mon, 05 Jan 2026 22:30:00 +0000\r\n" in composed(date=datetime(2026, 1, 6, 0, 30, tzinfo=there))


def test_a_hidden_recipient_is_in_no_byte_of_the_mail() -> None:
    hidden = Mailbox("Hidden", "hidden@example.org")
    assert composed(bcc_not_in_headers=(hidden,)) == composed()
    assert b"\r\nTo:" not in composed(to=(), bcc_not_in_headers=(hidden,))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("short\n", b"7bit"),
        ("trailing \n", b"quoted-printable"),
        ("-- \nme\n", b"quoted-printable"),
        ("From here on\n", b"quoted-printable"),
        (".\n", b"quoted-printable"),
        ("x" * 77, b"quoted-printable"),
        ("grüß\n", b"base64"),
        ("many plain letters and one ü\n", b"quoted-printable"),
        ("\u043f\u0440\u0438\n", b"base64"),
    ],
)
def test_what_relays_would_change_is_encoded(text: str, encoding: bytes) -> None:
    raw = composed(text=text)
    assert b"Content-Transfer-Encoding: " + encoding + b"\r\n" in raw
    assert b"\r\nFrom " not in raw
    assert arrived(raw) == body(text, "")


def test_a_long_thread_is_folded_between_ids() -> None:
    ids = tuple(f"<{n:03}{'x' * 200}@example.org>" for n in range(20))
    raw = composed(references=ids)
    assert tuple(parsed(raw)["references"].split()) == ids
    assert read(raw).references == ids


def test_text_and_quote_are_parted_by_one_blank_line() -> None:
    assert body("a\n", "b\n") == "a\n\nb\n"
    assert body("a\n\n\n", "") == "a\n"
    assert body("\n a", "> b") == "\n a\n\n> b\n"
    assert body("", "") == "\n"
