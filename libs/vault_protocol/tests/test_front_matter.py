import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_protocol.front_matter import LIMIT, FrontMatter, FrontMatterError

WORDS = st.text(string.ascii_letters + string.digits + " _-ÄÖßé漢🙂.,/'\"", max_size=20)
WORDS_OF_YAML = " !#$%&*-.:?@[]{}|>`'\u00a0\u200b\ufeff\ufffe\ud7ff\ue000\x7f\t"
KEYS = st.from_regex("[a-z][a-z_]{0,8}", fullmatch=True)

SPELLINGS = st.one_of(
    WORDS.map(lambda text: '"' + text.replace('"', "'") + '"'),
    WORDS.map(lambda text: "'" + text.replace("'", "''") + "'"),
    st.sampled_from(["", "~", "true", "no", "12", "-3", "007", "1.5", "2026-11-23", "0x1f", "word", "two words # why"]),
    st.sampled_from(["[]", "[a, b]", "[1,\n 2]", "\n- x\n# between\n- y", "\n  - 'a: b'", "|\n  # no comment\n  x\n"]),
    st.sampled_from([">-\n  folded\n  text", "|+\n  kept\n\n", "|\n  one\n\n  two", '"over\n  two lines"']),
)
ABOVE = st.lists(st.sampled_from(["# a comment\n", "\n", "  # indented\n", "#: looks like a key: 1\n"]), max_size=2)


@st.composite
def owners_text(draw: st.DrawFn) -> str:
    """Front matter as a person may write it."""
    keys = draw(st.lists(KEYS, max_size=6, unique=True))
    pieces = [f"{''.join(draw(ABOVE))}{key}: {draw(SPELLINGS)}\n" for key in keys]
    return "".join([*pieces, *draw(ABOVE)])


@given(owners_text())
def test_front_matter_is_kept_byte_for_byte(text: str) -> None:
    assert FrontMatter.parse(text).text == text


@given(owners_text(), KEYS, st.one_of(st.text(max_size=30), st.integers(0, 10**9), st.booleans(), st.lists(WORDS)))
def test_put_changes_its_key_and_nothing_else(text: str, key: str, value: str | int | bool | list[str]) -> None:
    before = FrontMatter.parse(text)

    after = before.put(**{key: value})

    assert after.values == {**before.values, key: value}
    others = [piece for name, piece in before.pieces if name != key]
    assert [piece for name, piece in after.pieces if name != key] == others
    if "\r" not in str(value):
        assert FrontMatter.parse(after.text).values == after.values


@given(owners_text(), KEYS)
def test_taking_a_key_out_leaves_the_comments_above_it(text: str, key: str) -> None:
    before = FrontMatter.parse(text)

    after = before.put(**{key: None})

    assert after.values == {name: value for name, value in before.values.items() if name != key}
    assert FrontMatter.parse(after.text).values == after.values
    comments = [line for line in text.splitlines() if line == "# a comment"]
    assert [line for line in after.text.splitlines() if line == "# a comment"] == comments


@given(owners_text(), KEYS, WORDS)
def test_putting_what_is_there_already_changes_no_byte(text: str, key: str, value: str) -> None:
    once = FrontMatter.parse(text).put(**{key: value})

    assert FrontMatter.parse(once.text).put(**{key: value}).text == once.text


def test_one_is_not_taken_for_true() -> None:
    assert FrontMatter.parse("attempt: true\n").put(attempt=1).text == "attempt: 1\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\na: 2\n", "the key 'a' is there twice"),
        ('a: 1\n"a": 2\n', "the key 'a' is there twice"),
        ('a: 1\n"\\x61": 2\n', "the key 'a' is there twice"),
        ("a: &x 1\nb: *x\n", "'a' uses a YAML anchor or alias"),
        ("a: [&x b, c]\n", "'a' uses a YAML anchor or alias"),
        ("&x a: 1\n", "is no `key: value` line"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "is not YAML|YAML anchor"),
        ("a: !!python/object:os.system x\n", "'a' has the YAML tag"),
        ("a: !!binary aGk=\n", "'a' has the YAML tag"),
        ("a: !mine x\n", "'a' has the YAML tag '!mine'"),
        ("a: !!float 1\n", "'a' has the YAML tag"),
        ("a:\n  b: 1\n", "'a' holds a nested value"),
        ("a: {b: 1}\n", "'a' holds a nested value"),
        ("a: [x, [y]]\n", "'a' holds a nested value"),
        ("a:\n- b: 1\n", "'a' holds a nested value"),
        ("? a\n: 1\n", "line 1 of the front matter is no `key: value` line"),
        ("? [a]\n: 1\n", "line 1 of the front matter is no `key: value` line"),
        ("a: 1\n...\nb: 2\n", "document marker"),
        ("--- # again\na: 1\n", "document marker"),
        ("{a: 1}\n", "not a list of `key: value` lines"),
        ("- a\n", "not a list of `key: value` lines"),
        ("just words\n", "not a list of `key: value` lines"),
        ("a: [\n", "is not YAML"),
        ("a: \x0b\n", "is not YAML"),
        ("a: \u2028b: 1\n", "a line end that editors do not show"),
        ("a: " + "x" * LIMIT + "\n", f"over {LIMIT} bytes"),
        ("a: " + "[" * 20_000 + "\n", "'a' holds a nested value"),
    ],
)  # fmt: skip
def test_front_matter_that_is_not_flat_and_plain_is_refused_with_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(FrontMatterError, match=reason):
        FrontMatter.parse(text)


@pytest.mark.parametrize("value", ["-1", "true", "1.5", "'3'", "x", "[1]", "1000000000"])
def test_a_number_is_a_whole_one(value: str) -> None:
    with pytest.raises(FrontMatterError, match="not a whole number"):
        FrontMatter.parse(f"attempt: {value}\n").number("attempt")


def test_words_that_yaml_1_1_would_change_stay_words() -> None:
    front = FrontMatter.parse("a: no\nb: 2026-11-23\nc: 012\nd: 1_000\ne: 1e3\n")

    assert front.values == {"a": "no", "b": "2026-11-23", "c": "012", "d": "1_000", "e": "1e3"}


AGENTS_VALUES = st.one_of(
    st.text(max_size=12).map(lambda text: f'"{text}"'),
    st.text(WORDS_OF_YAML, max_size=12).map(lambda text: f'"{text}"'),
    st.from_regex("[A-Za-z][A-Za-z_-]{0,8}|-?[0-9]{1,20}", fullmatch=True),
    st.sampled_from(["true", "null", "NULL", "no", "2026-11-23T15:04:05Z", "2026-13-43T15:04:05Z", "1_000", "0x1"]),
)


@given(st.lists(st.tuples(st.sampled_from(["id", "sha256", "y", "true", "_", "a1"]), AGENTS_VALUES), max_size=4))
def test_the_fast_way_reads_what_yaml_reads(lines: list[tuple[str, str]]) -> None:
    text = "".join(f"{key}: {value}\n" for key, value in lines)
    try:
        fast = FrontMatter.parse(text)
    except FrontMatterError:
        return
    slow = FrontMatter.parse(f"{text}# a comment, which takes the slow way\n")
    assert fast.text == text
    assert [(key, type(fast[key]), fast[key]) for key in fast.values] == [
        (key, type(slow[key]), slow[key]) for key in slow.values
    ]
