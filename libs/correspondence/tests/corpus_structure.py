"""Structures that are broken, deep, huge, or hide something."""

from __future__ import annotations

from correspondence import Oddity

from .cases import Case, attachment, case, html, mail, multipart

PLAIN = "Content-Type: text/plain; charset=utf-8\n\nplain"
RICH = "Content-Type: text/html; charset=utf-8\n\n<p>rich</p>"
NESTED = "Content-Type: message/rfc822\n\nFrom: x@evil.example\nSubject: inner\n\ninner text"


def structures() -> list[Case]:
    """Multiparts and encodings."""
    return [
        case("plain and rich", multipart(PLAIN, RICH, kind="alternative"), text="plain", attachments=()),
        case("rich before plain", multipart(RICH, PLAIN, kind="alternative"), text="plain"),
        case(
            "an empty plain part",
            multipart("Content-Type: text/plain\n\n \n", RICH, kind="alternative"),
            Oddity.HTML_ONLY,
            text="rich",
        ),
        case(
            "a plain part that sends one to the HTML",
            multipart("\nYou need an HTML reader.", RICH.replace("rich", "rich " * 50), kind="alternative"),
            Oddity.HTML_ONLY,
            text=("rich " * 50).strip(),
        ),
        case("two texts, one after the other", multipart(PLAIN, "\nmore"), text="plain\n\nmore"),
        case("no end of the last part", multipart(PLAIN, closed=False), Oddity.BROKEN_MIME, text="plain"),
        case(
            "a boundary that never comes",
            mail("text", Content_Type='multipart/mixed; boundary="b"'),
            Oddity.BROKEN_MIME,
            text="",
            attachments=1,
        ),
        case("no boundary", mail("text", Content_Type="multipart/mixed"), Oddity.BROKEN_MIME, attachments=1),
        case(
            "an empty boundary",
            mail("--\ntext\n----\n", Content_Type='multipart/mixed; boundary=""'),
            Oddity.BROKEN_MIME,
            attachments=1,
        ),
        case(
            "a boundary of the form of a pattern",
            mail("--(.*)+\n\nx\n--(.*)+--", Content_Type='multipart/mixed; boundary="(.*)+"'),
            text="x",
        ),
        case(
            "a boundary that begins another",
            mail("--a\n\nx\n--ab\ny\n--a--", Content_Type="multipart/mixed; boundary=a"),
            text="x\n--ab\ny",
        ),
        case(
            "text around the parts",
            mail("before\n--b\n\nx\n--b--\nafter", Content_Type="multipart/mixed; boundary=b"),
            text="x",
        ),
        case(
            "a boundary with spaces behind it",
            mail("--b  \n\nx\n--b-- \n", Content_Type="multipart/mixed; boundary=b"),
            text="x",
        ),
        case(
            "a part without headers or body",
            mail("--b\n--b\n\nx\n--b--", Content_Type="multipart/mixed; boundary=b"),
            text="x",
        ),
        case(
            "the same boundary inside",
            multipart('Content-Type: multipart/mixed; boundary="=_b"\n\n--=_b\n\nx'),
            Oddity.BROKEN_MIME,
            text="x",
        ),
        case("a thousand levels", nested(1000), Oddity.HUGE, text="outer", attachments=1),
        case("forty levels", nested(40), text="outer\n\ninner"),
        case("five thousand parts", multipart(*["\nx"] * 5000), Oddity.HUGE),
        case(
            "two hundred thousand false boundaries",
            mail("--b\n\nx\n" + "--bx\n" * 200_000, Content_Type="multipart/mixed; boundary=b"),
            Oddity.BROKEN_MIME,
            Oddity.TRUNCATED,
            Oddity.HUGE,
        ),
        case("a type that is none", mail("x", Content_Type="text"), Oddity.BROKEN_MIME, text="x"),
        case("a type of two words", mail("x", Content_Type="text/plain html"), Oddity.BROKEN_MIME, text="x"),
        case(
            "parameters without a type",
            mail("x", Content_Type="; charset=utf-8"),
            Oddity.BROKEN_MIME,
            text="x",
        ),
        case("a type in capitals", html("<p>x").replace(b"text/html", b"TEXT/HTML"), Oddity.HTML_ONLY, text="x"),
        case(
            "an unknown transfer encoding",
            mail("x", Content_Transfer_Encoding="rot13"),
            Oddity.BROKEN_MIME,
            text="x",
        ),
        case("base64 without its padding", mail("SGVsbG8", Content_Transfer_Encoding="base64"), text="Hello"),
        case(
            "base64 with rubbish between",
            mail("SG!Vs\n--bG8=", Content_Transfer_Encoding="base64"),
            text="Hello",
        ),
        case(
            "base64 that ends too early",
            mail("SGVsbG8hI", Content_Transfer_Encoding="base64"),
            Oddity.BROKEN_MIME,
            text="Hello!",
        ),
        case("base64 that is none", mail("????", Content_Transfer_Encoding="base64"), text=""),
        case(
            "broken quoted-printable",
            mail("a=ZZb=\nc=", Content_Transfer_Encoding="quoted-printable"),
            text="a=ZZbc",
        ),
        case("a message inside", multipart(PLAIN, NESTED), Oddity.NESTED_MESSAGE, text="plain", attachments=1),
        case(
            "nothing but a message inside",
            mail("From: x@y.example\n\ninner", Content_Type="message/rfc822"),
            Oddity.NESTED_MESSAGE,
            text="",
            attachments=1,
        ),
        case(
            "a message inside a message inside",
            multipart(PLAIN, NESTED + "\n" + NESTED),
            Oddity.NESTED_MESSAGE,
            text="plain",
            attachments=1,
        ),
        case(
            "a digest",
            multipart("\nFrom: a@b.example\n\nx", kind="digest"),
            Oddity.NESTED_MESSAGE,
            text="",
            attachments=1,
        ),
        case(
            "an external body",
            multipart(PLAIN, "Content-Type: message/external-body; access-type=URL\n\nx"),
            Oddity.NESTED_MESSAGE,
            attachments=1,
        ),
        case(
            "an encrypted mail",
            multipart(
                "Content-Type: application/pgp-encrypted\n\nVersion: 1",
                "Content-Type: application/octet-stream\n\nx",
                kind="encrypted",
            ),
            Oddity.ENCRYPTED,
            text="",
        ),
        case(
            "an S/MIME envelope",
            mail(
                "AAAA",
                Content_Type="application/pkcs7-mime; smime-type=enveloped-data",
                Content_Transfer_Encoding="base64",
            ),
            Oddity.ENCRYPTED,
            attachments=1,
        ),
        case(
            "an S/MIME signature around the text",
            mail("AAAA", Content_Type="application/pkcs7-mime; smime-type=signed-data"),
            Oddity.SIGNED,
        ),
        case(
            "a signed mail",
            multipart(PLAIN, "Content-Type: application/pgp-signature\n\nx", kind="signed"),
            Oddity.SIGNED,
            text="plain",
            attachments=1,
        ),
        case(
            "an encrypted text",
            mail("-----BEGIN PGP MESSAGE-----\nx\n-----END PGP MESSAGE-----\n"),
            Oddity.ENCRYPTED,
        ),
        case("a signed text", mail("-----BEGIN PGP SIGNED MESSAGE-----\nx\n"), Oddity.SIGNED),
    ]


def files() -> list[Case]:
    """Attachments and what they call themselves."""
    return [
        file("an attachment", 'attachment; filename="a.pdf"', "a.pdf"),
        file("a name with a quote", 'attachment; filename="a\\"b.pdf"', "a_b.pdf"),
        file("a name with folders", 'attachment; filename="../../etc/passwd"', "passwd"),
        file("a name with a drive", 'attachment; filename="C:\\\\Windows\\\\a.dll"', "a.dll"),
        file(
            "a name that turns round",
            "attachment; filename*=utf-8''a%E2%80%AEfdp.exe",
            "afdp.exe",
            Oddity.BIDI_CHARACTERS,
            Oddity.RISKY_ATTACHMENT,
        ),
        file(
            "a name with a line break",
            "attachment; filename*=utf-8''a%0D%0Ab.pdf",
            "a b.pdf",
            Oddity.CONTROL_CHARACTERS,
        ),
        file(
            "a name in pieces",
            'attachment; filename*0="long "; filename*2="name.pdf"; filename*1="file "',
            "long file name.pdf",
        ),
        file("a name of hidden files", 'attachment; filename=".bashrc"', "bashrc"),
        file("a name of nothing but dots", 'attachment; filename="..."', "attachment-1.bin"),
        file("no name", "attachment", "attachment-1.bin"),
        file("a name outside ASCII", "attachment; filename*=utf-8''R%C3%A9sum%C3%A9.pdf", "Resume.pdf"),
        file("a name that is an encoded word", 'attachment; filename="=?utf-8?b?YS5wZGY=?="', "a.pdf"),
        file("a name of 5,000 letters", f'attachment; filename="{"x" * 5000}.pdf"', "x" * 96 + ".pdf"),
        file("two names", "attachment; filename=a.pdf; filename=b.exe", "a.pdf", Oddity.DUPLICATE_HEADERS),
        file(
            "a program that looks like a document",
            'attachment; filename="invoice.pdf.exe"',
            "invoice.pdf.exe",
            Oddity.RISKY_ATTACHMENT,
        ),
        file("a shortcut", 'attachment; filename="invoice.LNK"', "invoice.LNK", Oddity.RISKY_ATTACHMENT),
        file("a name without end", 'attachment; filename="a.pdf', "_a.pdf"),
        file(
            "a thousand charsets",
            "attachment; filename*=zlib''%00%01",
            "attachment-1.bin",
            Oddity.CONTROL_CHARACTERS,
            Oddity.BAD_CHARSET,
        ),
        case(
            "an HTML file",
            multipart(PLAIN, attachment("attachment; filename=a.html", b"<p>x", "text/html")),
            Oddity.RISKY_ATTACHMENT,
            text="plain",
        ),
        case(
            "a text file",
            multipart(PLAIN, attachment("inline; filename=a.txt", b"file", "text/plain")),
            text="plain",
            attachments=1,
        ),
        case(
            "nothing but a text file",
            mail("file", Content_Type="text/plain; name=a.txt"),
            text="file",
            attachments=(),
        ),
        case(
            "nothing but an attached text file",
            mail("file", Content_Type="text/plain", Content_Disposition="attachment"),
            text="",
            attachments=1,
        ),
        case(
            "a picture in the text",
            multipart(RICH, "Content-Type: image/png\nContent-ID: <1>\n\nx", kind="related"),
            Oddity.HTML_ONLY,
            text="rich",
            attachments=1,
        ),
    ]


def file(name: str, disposition: str, shown: str, *odd: Oddity) -> Case:
    """A mail with one attachment, whose name must be shown like this."""
    return case(name, multipart(PLAIN, attachment(disposition)), *odd, first_name=shown, text="plain")


def nested(levels: int) -> bytes:
    """Multiparts inside each other, with a text in the outermost and one in the innermost."""
    inner = b"Content-Type: text/plain\r\n\r\ninner"
    for level in range(levels - 1, 0, -1):
        mark = b"b%dx" % level
        inner = b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n--%b\r\n%b\r\n--%b--" % (
            mark,
            mark,
            inner,
            mark,
        )
    return multipart(b"\r\nouter", inner)
