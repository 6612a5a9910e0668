import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_protocol import plain

NASTY = st.lists(
    st.one_of(
        st.sampled_from(
            ["[[", "]]", "](", "![", "[", "]", "(", ")", "!", ":", "::", "://", "/", "{{", "}}", "<%", "%>", "%%",
            "`", "$$", "$",
             "#tag", "#", "<b>", "<!--", "-->", "|", "https://x.example", "www.x.example", "WWW.x", "obsidian://open",
             "key:: v",
             "\u200b", "\u202e", "\ufeff", "\u2028", "\r", "\n", "\t", " ", "\x00", "\x85", "a", "\ud800", "^id",
             "= this.file"]
        ),
        st.text(max_size=4),
    ),
    max_size=14,
).map("".join)  # fmt: skip

RENDERS = re.compile(r"\[\[|\]\(|!\[|::|://|//|\{\{|<|>|%%|`|\$|#|\||www\.", re.IGNORECASE)
"""What begins something in Obsidian: link, embed, field, template, HTML, comment, code, formula, tag, table."""


@given(NASTY)
def test_one_line_holds_nothing_that_a_viewer_renders(text: str) -> None:
    line = plain.one_line(text)

    assert not RENDERS.search(line), line
    assert plain.hidden_or_control(line) is None
    assert "\n" not in line
    assert "\t" not in line


@given(NASTY, st.integers(1, 30))
def test_one_line_is_as_short_as_asked_and_stays_as_it_is(text: str, limit: int) -> None:
    line = plain.one_line(text, limit)

    assert len(line) <= limit
    assert plain.one_line(line, limit) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Plain words, as they are.", "Plain words, as they are."),
        ("a\u200b[\u200b[b", "a[ [b"),
        (":\u202e:", ": :"),
        ("[text](javascript:x)", "[text] (javascript:x)"),
        ("https://evil.example", "https: / /evil.example"),
        ("![[secret.md]]", "! [ [secret.md]]"),
        ("two\r\nlines\tand  more", "two lines and more"),
        ("50% off", "50% off"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_one_line_breaks_only_what_is_active(text: str, line: str) -> None:
    assert plain.one_line(text) == line


@given(
    st.lists(st.one_of(st.text("`", max_size=9), st.text("~ \ta", max_size=5), st.just("\r")), max_size=9).map(
        "\n".join
    )
)
def test_no_line_inside_a_fence_can_close_it(text: str) -> None:
    first, *inside, last, rest = re.split("\r\n|[\r\n]", plain.fenced(text))

    assert re.fullmatch("`{3,}text", first)
    assert first == last + "text"
    assert rest == ""
    assert not any(len(run) >= len(last) for line in inside for run in re.findall("`+", line))


DEFAULT_IGNORABLE = [
    0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0x200B, 0x2010),
    *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x3164, 0xFEFF, 0xFFA0, *range(0xFFF0, 0xFFF9),
    *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000),
]  # fmt: skip
"""Unicode's Default_Ignorable_Code_Point but the sixteen variation selectors of emoji (DerivedCoreProperties 15)."""


def test_every_character_that_shows_as_nothing_is_found_and_taken_out() -> None:
    for code in DEFAULT_IGNORABLE:
        assert plain.hidden_or_control(f"a{chr(code)}b") == f"U+{code:04X}"
        assert plain.visible(f"a{chr(code)}b") == "ab"


def test_every_format_and_control_character_is_found() -> None:
    found = {code for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cf", "Cc", "Zl", "Zp", "Cs")}
    shown = {code for code in found if plain.hidden_or_control(chr(code)) is None}

    assert {ord("\t"), ord("\n")} <= shown
    assert not any(unicodedata.bidirectional(chr(code)) in BIDIRECTIONAL for code in shown)
    assert {unicodedata.category(chr(code)) for code in shown - {ord("\t"), ord("\n")}} == {
        "Cf"
    }  # number signs of scripts


BIDIRECTIONAL = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Your question: is it ready?", "your-question-is-it-ready"),
        ("Über Größe", "uber-groe"),
        ("../../etc/passwd", "etc-passwd"),
        ("漢字", ""),
        ("-" * 50, ""),
        ("a" * 90, "a" * 40),
        ("CON", "con"),
    ],
)
def test_a_slug_is_short_lower_case_ascii(text: str, slug: str) -> None:
    assert plain.slug(text) == slug


@given(st.text(max_size=200))
def test_any_text_makes_a_slug_that_a_file_name_can_hold(text: str) -> None:
    assert re.fullmatch("([a-z0-9]+(-[a-z0-9]+)*)?", plain.slug(text))


@pytest.mark.parametrize(
    "message_id",
    ["<q-1@studio.example>", "<000c01d2$12ab#7|x@www.host.example>", "<a::b//c%%d@[192.0.2.1]>"],
)
def test_the_message_id_that_a_note_shows_is_told_from_it(message_id: str) -> None:
    shown = plain.message_id_shown(message_id)
    assert plain.message_id_meant(shown) == message_id


@pytest.mark.parametrize("message_id", ["<`tick`@host.example>", f"<{'x' * 400}@host.example>", "<ö@host.example>"])
def test_a_message_id_that_could_be_another_is_not_told(message_id: str) -> None:
    assert plain.message_id_meant(plain.message_id_shown(message_id)) == ""


@pytest.mark.parametrize(
    "shown",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
        "\U0001f3f3\ufe0f\u200d\U0001f308",
        "\U0001f469\U0001f3fd\u200d\U0001f4bb",
        "\u2764\ufe0f\u200d\U0001f525",
        "\U0001f3f4\u200d\u2620\ufe0f",
    ],
)
def test_a_draft_may_hold_pictures_that_are_joined_and_nothing_else_may_be(shown: str) -> None:
    assert plain.hidden_or_control(f"All of us {shown}!", pictures=True) is None
    assert plain.visible(f"a\u200db {shown}\u200d", pictures=True) == f"ab {shown}"
    assert "\u200d" not in plain.visible(shown)
    assert plain.hidden_or_control(shown) == "U+200D", "a path, a subject or a name has none"
    for hidden in (
        f"{shown}\u200d", f"\u200d{shown}", f"a\u200d{shown}", f"{shown}\u200db", f"{shown}\u200d\u200d{shown}",
        f"{shown} pay\u200d now", f"{shown}\u200b", "\u200d".join("\U0001f600" * 9),
    ):  # fmt: skip
        assert plain.hidden_or_control(hidden, pictures=True) is not None, hidden
