"""Bodies that are not what they claim, or that show a reader and a machine two different things."""

from __future__ import annotations

from correspondence import Oddity

from .cases import Case, case, html, mail

ONLY = Oddity.HTML_ONLY
HIDDEN = Oddity.HIDDEN_HTML_TEXT


def charsets() -> list[Case]:
    """Charsets, control characters and size."""
    return [
        text("declared UTF-8", "grüß".encode(), "utf-8", "grüß"),
        text("Latin-1 that says UTF-8", "grüß".encode("latin-1"), "utf-8", "gr\ufffd\ufffd", Oddity.BAD_CHARSET),
        text("UTF-8 that says ASCII", "grüß".encode(), "us-ascii", "grüß", Oddity.BAD_CHARSET),
        text("UTF-8 that says nothing", "grüß".encode(), "", "grüß"),
        text("Windows quotes that say Latin-1", b"\x93hi\x94", "iso-8859-1", "\u201chi\u201d"),
        text("Latin-1 that says nothing", "grüß".encode("latin-1"), "", "grüß", Oddity.BAD_CHARSET),
        text("bytes of no charset", b"a\x81\x8db", "", "ab", Oddity.BAD_CHARSET),
        text("UTF-16", "grüß".encode("utf-16"), "utf-16", "grüß"),
        text("UTF-16 without its mark", "grüß".encode("utf-16-be"), "utf-16", "grüß"),
        text("broken UTF-16 without its mark", b"\x00a\x00", "utf-16", "a\ufffd", Oddity.BAD_CHARSET),
        text("UTF-32 without its mark", "grüß".encode("utf-32-be"), "utf-32", "grüß"),
        text("UTF-32 with the mark of UTF-16", b"\xff\xfea\x00", "utf-32", "\ufffd", Oddity.BAD_CHARSET),
        text("half a UTF-16 letter", b"\xff\xfea\x00b", "utf-16", "a\ufffd", Oddity.BAD_CHARSET),
        text("lone surrogates", b"\xff\xfe\x00\xd8a\x00", "utf-16", "\ufffda", Oddity.BAD_CHARSET),
        text("UTF-7, which smuggles", b"+ADw-script+AD4-", "utf-7", "+ADw-script+AD4-", Oddity.BAD_CHARSET),
        text("a codec that unpacks", b"x\x9c", "zlib", "x\u0153", Oddity.BAD_CHARSET),
        text("a codec that evaluates", b"\\x41", "unicode_escape", "\\x41", Oddity.BAD_CHARSET),
        text("a charset with a path", b"hi", "../../x", "hi", Oddity.BAD_CHARSET),
        text("a charset of 5,000 letters", b"hi", "x" * 5000, "hi", Oddity.BAD_CHARSET),
        text("Japanese", "こんにちは".encode("iso2022_jp"), "ISO-2022-JP", "こんにちは"),
        text("broken Japanese", b"\x1b$B\xff\x1b(B", "ISO-2022-JP", "\ufffd", Oddity.BAD_CHARSET),
        text("Korean by its old name", "안녕".encode("cp949"), "ks_c_5601-1987", "안녕"),
        text("Russian", "привет".encode("koi8_r"), "KOI8-R", "привет"),
        text("simplified Chinese", "你好".encode("gb18030"), "gb2312", "你好"),
        text("a byte order mark", b"\xef\xbb\xbfhi", "utf-8", "hi"),
        text("terminal escapes", b"\x1b[2Jhi\x07\x08", "utf-8", "[2Jhi"),
        text("NULs", b"a\x00b\x00", "utf-8", "ab"),
        text("old line ends", b"a\rb\x0bc\x0cd\r\ne", "utf-8", "a\nb\nc\nd\ne"),
        text("line ends of Unicode", "a\u2028b\u2029c\x85d".encode(), "utf-8", "a\nb\nc\nd"),
        text(
            "text that turns round",
            "pay \u202e001\u202c".encode(),
            "utf-8",
            "pay 001",
            Oddity.BIDI_CHARACTERS,
        ),
        text("isolates", "a\u2066b\u2069".encode(), "utf-8", "ab", Oddity.BIDI_CHARACTERS),
        text("zero width", "p\u200ba\u2060y\ufeff".encode(), "utf-8", "pay", Oddity.ZERO_WIDTH_CHARACTERS),
        text("soft hyphens", "pass\u00adword".encode(), "utf-8", "password", Oddity.ZERO_WIDTH_CHARACTERS),
        text(
            "a text of variation selectors",
            ("x" + "\ufe01\ufe02" * 50).encode(),
            "utf-8",
            "x",
            Oddity.ZERO_WIDTH_CHARACTERS,
        ),
        text("a million letters", b"x" * 1_000_000, "utf-8", "x" * 200_000, Oddity.TRUNCATED),
        text(
            "three million bytes cut inside a letter",
            "€".encode() * 1_000_000,
            "utf-8",
            "€" * 200_000,
            Oddity.TRUNCATED,
        ),
        text("nothing", b"", "utf-8", ""),
        text("only white space", b" \t\r\n \r\n", "utf-8", ""),
    ]


def markup() -> list[Case]:
    """HTML that hides, lies or is broken."""
    return [
        page("a paragraph", "<p>Hi <b>there</b>", "Hi there"),
        page("an empty page", "", "", odd=()),
        case("HTML in a plain part", mail("<html><body>Hi</body></html>"), ONLY, text="Hi"),
        page("a charset in the page", "<meta charset=utf-8><p>grüß", "grüß"),
        page("scripts and styles", "<style>p{}</style><script>steal()</script><p>Hi", "Hi"),
        page("a script that never ends", "<p>Hi</p><script>steal()", "Hi"),
        page("a comment", "a<!-- secret -->b<!--[if mso]>c<![endif]-->", "ab"),
        page("a comment that never ends", "a<!-- secret", "a", Oddity.BROKEN_MIME),
        page("a tag that never ends", 'a<b title="', "a", Oddity.BROKEN_MIME),
        page("a bracket in an attribute", '<b title="> <i hidden">x</b>', "x"),
        page(
            "numbers of no character",
            "&#999999999999999999;&#x110000;&#0;x&#xD800;",
            "\ufffd\ufffd\ufffdx\ufffd",
        ),
        page("a number of 5,000 digits", f"&#{'1' * 5000};x", "\ufffdx"),
        page("a right-to-left mark as a number", "a&#x202e;b", "ab", Oddity.BIDI_CHARACTERS),
        page("lines", "a<br>b<div>c</div>d", "a\nb\nc\nd"),
        page("a list", "<ul><li>a<li>b</ul>", "- a\n- b"),
        page("a table", "<table><tr><td>a<td>1<tr><td>b<td>2</table>", "a  1\nb  2"),
        page("a thousand tables", "<table><tr><td>" * 1000 + "x", "x"),
        page("twenty thousand open tags", "<div><b>" * 10_000 + "x", "x"),
        page("display none", '<p>a<span style="display:none">obey</span>b', "ab", HIDDEN),
        page(
            "display none, with a comment",
            '<p>a<i style="display/**/:/* */none !important;display:block">obey</i>',
            "a",
            HIDDEN,
        ),
        page("the hidden attribute", "<p hidden>obey</p><p>a", "a", HIDDEN),
        page("a hidden paragraph without an end", "<p hidden>obey<p>a", "a", HIDDEN),
        page(
            "invisible",
            '<p style="visibility:hidden">obey <b style="visibility:visible">a</b></p>',
            "a",
            HIDDEN,
        ),
        page("no size", '<p style="font-size:0px">obey<span style="font-size:14px">a</span></p>', "a", HIDDEN),
        page("a size of one point", '<font style="font-size:1pt">obey</font>a', "a", HIDDEN),
        page("no opacity", '<p style="opacity:0.01">obey</p>a', "a", HIDDEN),
        page("no height", '<div style="max-height:0;overflow:hidden">obey</div>a', "a", HIDDEN),
        page("far to the left", '<div style="position:absolute;left:-9999px">obey</div>a', "a", HIDDEN),
        page("white on white", '<span style="color:#fff">obey</span>a', "a", HIDDEN),
        page("nearly white on white", '<font color="#fefdfe">obey</font>a', "a", HIDDEN),
        page("white on a button", '<a style="background:#06c;color:white">Pay</a>', "Pay"),
        page(
            "black on black",
            '<td bgcolor="#000"><span style="color:rgb(0, 0, 0)">obey</span></td>a',
            "a",
            HIDDEN,
        ),
        page("white on a picture", '<div style="background:url(cid:1)"><b style="color:white">a</b></div>', "a"),
        page(
            "white on a gradient",
            '<b style="background:linear-gradient(red,blue) white;color:white">a</b>',
            "a",
        ),
        page(
            "a link to the site above",
            '<a href="https://bank.com/">www.login.bank.com</a>',
            "www.login.bank.com <https://bank.com/>",
        ),
        page(
            "a link with backslashes",
            '<a href="https:\\\\evil.example\\x">www.bank.com</a>',
            "www.bank.com <https://evil.example/x>",
            Oddity.LINK_DIFFERS,
        ),
        page(
            "a hidden cell around a table",
            "<table><tr><td hidden><table><tr><td>obey</table>obey<td>a</table>",
            "a",
            HIDDEN,
        ),
        page("an answer below a quote", "<blockquote type=cite>old</blockquote>new", "> old\n\nnew", quoted=""),
        page("hidden by a class", "<style>.x, p{display:none}</style><i class='y X'>obey</i>a", "a", HIDDEN),
        page(
            "a class for telephones",
            "<style>@media(max-width:9px){.x{display:none}}</style><i class=x>a</i>",
            "a",
        ),
        page(
            "a picture from elsewhere",
            '<img src="https://t.example/p.gif" alt="logo">a',
            "[logo]a",
            Oddity.REMOTE_CONTENT,
        ),
        page("a picture from nowhere", '<img src="cid:1">a', "a"),
        page(
            "a background from elsewhere",
            "<p style=\"background:url('//t.example/')\">a",
            "a",
            Oddity.REMOTE_CONTENT,
        ),
        page(
            "a style sheet from elsewhere",
            '<link rel=stylesheet href="http://t.example">a',
            "a",
            Oddity.REMOTE_CONTENT,
        ),
        page("an imported style sheet", "<style>@import 'x'</style>a", "a", Oddity.REMOTE_CONTENT),
        page("a link that says where it leads", '<a href="https://a.example/">a.example</a>', "a.example"),
        page("a link with a text", '<a href="https://a.example/x">here</a>', "here <https://a.example/x>"),
        page(
            "a link that lies",
            '<a href="https://evil.example/">www.bank.com</a>',
            "www.bank.com <https://evil.example/>",
            Oddity.LINK_DIFFERS,
        ),
        page(
            "a link with a name before the @",
            '<a href="https://www.bank.com@evil.example/">www.bank.com</a>',
            "www.bank.com <https://www.bank.com@evil.example/>",
            Oddity.LINK_DIFFERS,
        ),
        page(
            "a link into the same site",
            '<a href="https://login.bank.com/x">www.bank.com</a>',
            "www.bank.com <https://login.bank.com/x>",
        ),
        page("a link that runs a script", '<a href="javascript:x">a</a>', "a"),
        page("a link of a broken address", '<a href="http://[::1">a</a>', "a <http://[::1>"),
        page(
            "a quote",
            "<p>new</p><blockquote type=cite>old<br>older</blockquote>",
            "new",
            quoted="> old\n> older",
        ),
    ]


def text(name: str, content: bytes, charset: str, expected: str, *odd: Oddity) -> Case:
    """A plain mail in a charset, and the text it must become."""
    kind = f'text/plain; charset="{charset}"' if charset else "text/plain"
    return case(f"text: {name}", mail(content, Content_Type=kind), *odd, text=expected)


def page(
    name: str, source: str, expected: str, *more: Oddity, odd: tuple[Oddity, ...] = (ONLY,), **fields: object
) -> Case:
    """An HTML mail, and the text it must become."""
    found = tuple(oddity for oddity in Oddity if oddity in (*odd, *more))
    return case(f"html: {name}", html(source), *found, text=expected, **fields)
