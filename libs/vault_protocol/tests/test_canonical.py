import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_protocol.canonical import Json, canonical, moment, strict_json, utc

KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def same(one: Json, two: Json) -> bool:
    """Equality as JSON has it: `true` is not 1."""
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(same, one, two))
    return type(one) is type(two) and one == two


@given(VALUES, VALUES)
def test_values_are_equal_exactly_when_their_bytes_are(one: Json, two: Json) -> None:
    assert same(one, two) == (canonical(one) == canonical(two))


@given(VALUES)
def test_canonical_bytes_are_read_back_as_the_same_value(value: Json) -> None:
    assert same(strict_json(canonical(value).decode()), value)


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.randoms())
def test_the_order_in_which_keys_were_set_does_not_show(value: dict[str, Json], random: object) -> None:
    shuffled = list(value.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert canonical(dict(shuffled)) == canonical(value)


def test_true_and_one_and_their_text_are_three_values() -> None:
    values: list[Json] = [True, 1, "1", "true", [1], {"1": 1}, None, "null", False, 0, "", [], {}]

    assert len({canonical(value) for value in values}) == len(values)


@pytest.mark.parametrize("value", [1.0, [1, [2.5]], {"a": {"b": float("nan")}}, [(1, 0.5)]])
def test_a_float_has_no_canonical_form(value: Json) -> None:
    with pytest.raises(TypeError, match="floats have no canonical form"):
        canonical(value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 1}', "the key 'a' is there twice"),
        ('[{"b": {"a": 1, "\\u0061": 2}}]', "the key 'a' is there twice"),
        ("1.5", "the number 1.5 is not an integer"),
        ("1e3", "the number 1e3 is not an integer"),
        ("-0.0", "the number -0.0 is not an integer"),
        ("NaN", "the number NaN is not an integer"),
        ("[Infinity]", "the number Infinity is not an integer"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("{} {}", "Extra data"),
        ("{'a': 1}", "Expecting property name"),
        ('{"a": 1,}', "."),
        ("", "Expecting value"),
        ("9" * 5000, "Exceeds the limit"),
        ('"a\nb"', "control character"),
    ],
)
def test_json_that_two_parsers_could_read_differently_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        strict_json(text)


@given(st.datetimes(timezones=st.timezones()))
def test_a_moment_is_written_in_utc_and_read_back_to_the_second(at: datetime) -> None:
    try:
        expected = at.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        return
    if expected.year < 1000:
        return

    assert moment(utc(at)) == expected


@pytest.mark.parametrize(
    "text",
    ["2026-1-2T3:4:5Z", "2026-11-23T09:00:00", "2026-11-23T09:00:00z", "2026-11-23 09:00:00Z", "2026-11-23T24:00:00Z",
     "2026-02-30T00:00:00Z", "2026-11-23T09:00:60Z", "２０２６-11-23T09:00:00Z", " 2026-11-23T09:00:00Z",
     "2026-11-23T09:00:00Z\n", ""],
)  # fmt: skip
def test_a_moment_has_one_spelling(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        moment(text)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        utc(datetime(2026, 11, 23))  # noqa: DTZ001 - that is the point


def test_the_same_moment_in_two_zones_is_one_text() -> None:
    here = datetime(2026, 11, 23, 23, 30, tzinfo=timezone(timedelta(hours=-2)))

    assert utc(here) == utc(here.astimezone(UTC)) == "2026-11-24T01:30:00Z"


def test_canonical_bytes_are_plain_sorted_json() -> None:
    assert canonical({"é": "ä", "b": [1, None], "a": True}) == '{"a":true,"b":[1,null],"é":"ä"}'.encode()
    assert json.loads(canonical({"a": "\n"})) == {"a": "\n"}
