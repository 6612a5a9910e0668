from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from correspondence.quote import split

LINES = st.sampled_from(
    [
        *("", "Yes.", "> old", ">> older", "On Mon, 5 Jan 2026 at 10:00 Ann <a@b.example>", "wrote:", "-- "),
        *("From: Ann", "Sent: Monday", "To: Bob", "Subject: x", "-----Original Message-----", "_" * 32),
        *("Ann wrote:", "Le 5 janvier 2026 10:00", "-- Forwarded message --"),
    ]
)


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(LINES, max_size=12))
def test_no_line_is_lost_or_moved_by_parting_a_mail(lines: list[str]) -> None:
    halves = split("\n".join(lines))
    parted = f"{halves.new}\n{halves.quoted}".split("\n")
    assert [line.strip() for line in parted if line.strip()] == [line.strip() for line in lines if line.strip()]


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(LINES, max_size=12))
def test_a_mail_that_says_something_never_parts_into_only_a_quote(lines: list[str]) -> None:
    halves = split("\n".join(lines))
    assert halves.new or not halves.quoted
    assert bool(halves.new) == any(lines)


def test_a_forward_is_never_parted() -> None:
    text = "See below.\n\nFrom: Ann\nSent: Monday\nTo: Bob\nSubject: x\n\nold"
    assert split(text, forwarded=True).new == text
    assert split(text).new == "See below."
