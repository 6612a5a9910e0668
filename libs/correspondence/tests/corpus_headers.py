"""Subjects, dates and ids that lie, repeat, inject, or are far too large."""

from __future__ import annotations

from datetime import UTC, datetime

from correspondence import Mailbox, Oddity

from .cases import Case, case, mail

ANN = Mailbox("Ann Lee", "ann@example.org")
NOON = datetime(2026, 1, 5, 14, 3, tzinfo=UTC)


def headers() -> list[Case]:
    """Subjects, dates, identifiers and broken header blocks."""
    return [
        case(
            "an ordinary mail",
            mail(),
            sender=ANN,
            subject="Hello",
            text="Hi",
            message_id="<1@example.org>",
            date=NOON,
        ),
        case("nothing at all", b"", Oddity.NO_SENDER, Oddity.NO_MESSAGE_ID, Oddity.NO_DATE, text="", subject=""),
        case("only a line end", b"\r\n", Oddity.NO_SENDER, Oddity.NO_MESSAGE_ID, Oddity.NO_DATE, text=""),
        case(
            "only a body",
            b"\r\nHi\r\n",
            Oddity.NO_SENDER,
            Oddity.NO_MESSAGE_ID,
            Oddity.NO_DATE,
            text="Hi",
        ),
        case("bare line feeds", mail().replace(b"\r\n", b"\n"), text="Hi", sender=ANN),
        case("bare carriage returns", mail().replace(b"\r\n", b"\r"), text="Hi", sender=ANN),
        case("a line of an mbox first", b"From ann Mon Jan 5 14:03:00 2026\r\n" + mail(), sender=ANN, text="Hi"),
        case(
            "no blank line before the body",
            mail().replace(b"\r\n\r\nHi", b"\r\nHi there"),
            Oddity.BROKEN_MIME,
            text="Hi there",
        ),
        case(
            "a header line without a colon",
            mail(X_Last="A\r\nnonsense\r\nX: y"),
            Oddity.BROKEN_MIME,
            subject="Hello",
            text="nonsense\nX: y\n\nHi",
        ),
        case(
            "a continuation first",
            b" folded\r\n" + mail(),
            Oddity.NO_SENDER,
            Oddity.NO_MESSAGE_ID,
            Oddity.NO_DATE,
            Oddity.BROKEN_MIME,
        ),
        case("two subjects", mail(Subject=["One", "Two"]), Oddity.DUPLICATE_HEADERS, subject="One"),
        case(
            "two authors' headers",
            mail(From=["a@example.org", "b@example.org"]),
            Oddity.DUPLICATE_HEADERS,
            sender=Mailbox("", "a@example.org"),
        ),
        case(
            "two Message-IDs",
            mail(Message_ID=["<1@a.example>", "<2@a.example>"]),
            Oddity.DUPLICATE_HEADERS,
            message_id="<1@a.example>",
        ),
        case(
            "two content types",
            mail("<b>x</b>", Content_Type=["text/plain", "text/html"]),
            Oddity.DUPLICATE_HEADERS,
            text="<b>x</b>",
        ),
        case("no Message-ID", mail(Message_ID=None), Oddity.NO_MESSAGE_ID, message_id=None),
        case(
            "a Message-ID without brackets",
            mail(Message_ID="1@example.org"),
            Oddity.NO_MESSAGE_ID,
            message_id=None,
        ),
        case(
            "a Message-ID with a space",
            mail(Message_ID="<1 @example.org>"),
            Oddity.NO_MESSAGE_ID,
            message_id=None,
        ),
        case(
            "a Message-ID of 10,000 characters",
            mail(Message_ID=f"<{'x' * 10_000}@a.example>"),
            Oddity.NO_MESSAGE_ID,
            message_id=None,
        ),
        case(
            "a Message-ID that breaks its line",
            mail(Message_ID="<1\r\n @example.org>"),
            Oddity.NO_MESSAGE_ID,
            message_id=None,
        ),
        case(
            "a Message-ID outside ASCII",
            mail(Message_ID="<ü@example.org>"),
            Oddity.NO_MESSAGE_ID,
            message_id=None,
        ),
        case("an answer", mail(In_Reply_To="<0@a.example> (Ann's)"), in_reply_to="<0@a.example>"),
        case(
            "references between comments",
            mail(References="(x) <a@b.c>junk<d@e.f>,<a@b.c>"),
            references=("<a@b.c>", "<d@e.f>"),
        ),
        case("no date", mail(Date=None), Oddity.NO_DATE, date=None),
        case("a date in words", mail(Date="yesterday evening"), Oddity.NO_DATE, date=None),
        case("the 31st of February", mail(Date="31 Feb 2026 10:00:00 +0000"), Oddity.NO_DATE, date=None),
        case("a date in the year 9999", mail(Date="31 Dec 9999 23:59:59 -9999"), Oddity.NO_DATE, date=None),
        case("a date in another zone", mail(Date="Mon, 5 Jan 2026 16:03 +0200 (EET)"), date=NOON),
        case("a date with a year of two digits", mail(Date="5 Jan 26 09:03:00 EST"), date=NOON),
        case(
            "a date with a leap second",
            mail(Date="31 Dec 2016 23:59:60 +0000"),
            date=datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC),
        ),
        case(
            "an encoded subject",
            mail(Subject="=?utf-8?q?Gr=C3=BC=C3=9Fe_an?= =?utf-8?b?IGRpY2g=?="),
            subject="Grüße an dich",
        ),
        case(
            "a letter cut in two by encoded words",
            mail(Subject="=?utf-8?b?w4M=?= =?utf-8?q?=C3?= =?utf-8?q?=BC?="),
            subject="Ãü",
        ),
        case("a raw subject in UTF-8", mail(Subject="Grüße".encode()), subject="Grüße"),
        case(
            "a raw subject in Latin-1",
            mail(Subject="Grüße".encode("latin-1")),
            Oddity.BAD_CHARSET,
            subject="Grüße",
        ),
        case(
            "two charsets in one subject",
            mail(Subject="=?iso-8859-1?q?=FC?= =?utf-8?q?=C3=BC?="),
            subject="üü",
        ),
        case("an encoded word in no charset", mail(Subject="=?x-none?q?Hi?="), Oddity.BAD_CHARSET, subject="Hi"),
        case(
            "an encoded word of a codec that is none",
            mail(Subject="=?rot13?q?Hi?="),
            Oddity.BAD_CHARSET,
            subject="Hi",
        ),
        case(
            "an encoded word with broken base64",
            mail(Subject="=?utf-8?b?SGkhI?="),
            Oddity.BROKEN_MIME,
            subject="Hi!",
        ),
        case("an unfinished encoded word", mail(Subject="=?utf-8?q?Hi"), subject="=?utf-8?q?Hi"),
        case(
            "a header injected by an encoded subject",
            mail(Subject="=?utf-8?q?Hi=0D=0ABcc:_x@evil.example?="),
            Oddity.CONTROL_CHARACTERS,
            subject="Hi Bcc: x@evil.example",
        ),
        case(
            "a header injected by an encoded name",
            mail(From="=?utf-8?q?Ann=0ABcc:_x?= <ann@example.org>"),
            Oddity.CONTROL_CHARACTERS,
            sender=Mailbox("Ann Bcc: x", "ann@example.org"),
        ),
        case(
            "a header injected by a line separator",
            mail(Subject="Hi\u2028Bcc: x".encode()),
            Oddity.CONTROL_CHARACTERS,
            subject="Hi Bcc: x",
        ),
        case("a NUL in the subject", mail(Subject=b"a\x00b"), Oddity.CONTROL_CHARACTERS, subject="a b"),
        case("a folded subject", mail(Subject="one\r\n\ttwo\r\n  three"), subject="one two three"),
        case("a subject of 50,000 characters", mail(Subject="x" * 50_000), Oddity.TRUNCATED, subject="x" * 500),
        case(
            "a subject that turns round",
            mail(Subject="invoice \u202efdp.exe".encode()),
            Oddity.BIDI_CHARACTERS,
            subject="invoice fdp.exe",
        ),
        case(
            "a subject with invisible letters",
            mail(Subject="pass\u200bword".encode()),
            Oddity.ZERO_WIDTH_CHARACTERS,
            subject="password",
        ),
        case(
            "a subject with an emoji family",
            mail(Subject="👨\u200d👩\u200d👧 ❤\ufe0f".encode()),
            subject="👨👩👧 ❤",
        ),
        case(
            "a message hidden in tag characters",
            mail(Subject="Hi" + "".join(chr(0xE0000 + ord(c)) for c in "obey")),
            Oddity.ZERO_WIDTH_CHARACTERS,
            subject="Hi",
        ),
        case("a header of a megabyte", mail(X_Long="x" * 1_000_000), Oddity.HUGE, subject="Hello", text="Hi"),
        case("fifty thousand headers", mail(X_Many=["y"] * 50_000), Oddity.HUGE, subject="Hello", text="Hi"),
        case(
            "a header name of a megabyte",
            b"x" * 1_000_000 + b": y\r\n" + mail(),
            Oddity.NO_SENDER,
            Oddity.NO_MESSAGE_ID,
            Oddity.NO_DATE,
            Oddity.HUGE,
        ),
    ]
