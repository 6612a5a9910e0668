from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libs.vault_protocol.tests import made

from vault_protocol import updates
from vault_protocol.updates import KEPT, Update

WORDS = st.from_regex(r"[a-z0-9_-]{1,40}", fullmatch=True)


@given(
    WORDS,
    st.dictionaries(WORDS.filter(lambda word: word not in ("event", "at")), WORDS | st.integers(0, 10**9), max_size=4),
)
def test_updates_are_read_back_as_they_were_added(event: str, facts: dict[str, str | int]) -> None:
    one = Update.of(event, made.NOW, **facts)

    assert updates.parse(updates.add(b"", one, one)) == (one, one)


@pytest.mark.parametrize(
    "text", ["two words", "Capital", "[[link]]", "<b>", "a\nb", "- x", "é", "１２", "", "x" * 41, "a=b",
    "https://x.example"],
)  # fmt: skip
def test_text_from_outside_never_gets_into_an_update(text: str) -> None:
    with pytest.raises(ValueError, match="plain words only"):
        Update.of("mail", made.NOW, subject=text)
    with pytest.raises(ValueError, match="plain words only"):
        Update.of(text, made.NOW)


@given(st.text(max_size=80))
def test_whatever_else_stands_in_the_file_is_shown_to_nobody(noise: str) -> None:
    true = Update.of("mail", made.NOW, count=1)
    content = updates.add(b"", true).decode() + noise.replace("- ", "-  ") + "\n"

    assert updates.parse(content.encode("utf-8", "surrogatepass")) == (true,)


def test_only_the_latest_updates_are_kept() -> None:
    content = b""
    for number in range(KEPT + 5):
        content = updates.add(content, Update.of("tick", made.NOW, n=number))

    assert [dict(one.facts)["n"] for one in updates.parse(content)] == [str(n) for n in range(5, KEPT + 5)]


def test_the_last_word_is_the_newest_of_both_files_by_the_agents_own_clock() -> None:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    recent = updates.add(None, Update.of("submitted", now - timedelta(hours=1)))
    assert updates.last_word(None, None) is None
    assert updates.last_word(recent, None) == now - timedelta(hours=1)
    assert updates.last_word(recent, updates.alive(now)) == now
    assert updates.last_word(b"- 2026-99-99T00:00:00Z alive\n") is None
