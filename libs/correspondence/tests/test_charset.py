from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from correspondence.charset import KNOWN, MARKS, decode


@pytest.mark.parametrize("name", [name for name in sorted(KNOWN) if name.startswith("iso2022")])
def test_an_escape_sequence_that_never_ends_is_still_text(name: str) -> None:
    content = b"\x1b$" + bytes(8)
    assert decode(content, name, set(), limit=len(content) - 1)
    assert decode(content, name, set(), limit=len(content))


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_no_bytes_in_any_known_charset_raise(name: str) -> None:
    @settings(max_examples=60, deadline=None, database=None)
    @given(st.binary(max_size=12) | st.binary(max_size=12).map(lambda tail: b"\x1b$)C\x0e~{\xff\xfe" + tail))
    def decodes(content: bytes) -> None:
        for limit in range(len(content) + 1):
            decode(content, name, set(), limit=limit)

    decodes()


def test_every_known_charset_is_one_that_python_has() -> None:
    assert {codecs.lookup(name).name for name in (*KNOWN, *(f"{marked}_be" for marked in MARKS))}
