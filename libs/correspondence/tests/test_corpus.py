from __future__ import annotations

from collections import Counter

import pytest

from correspondence import Oddity, read

from .cases import Case
from .corpus import CORPUS


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_a_hostile_mail_is_read_as_it_must_be(case: Case) -> None:
    original = read(case.raw)
    for name, expected in case.expected.items():
        if name == "attachments" and isinstance(expected, int):
            assert len(original.attachments) == expected
        elif name == "first_name":
            assert original.attachments[0].name == expected
        else:
            assert getattr(original, name) == expected
    assert original.oddities == tuple(oddity for oddity in Oddity if oddity in case.odd)


def test_the_corpus_is_large_and_names_each_mail_once() -> None:
    assert len(CORPUS) >= 120
    assert max(Counter(case.name for case in CORPUS).values()) == 1


def test_every_oddity_is_proved_by_a_mail_of_the_corpus() -> None:
    assert {oddity for case in CORPUS for oddity in case.odd} == set(Oddity)
